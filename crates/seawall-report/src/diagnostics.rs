//! Interim.
use seawall_core::diagnostic::Diagnostic;
/// Text.
pub fn text(diagnostics: &[Diagnostic], _plan_text: &str, plan_name: &str, _color: bool) -> String {
    diagnostics
        .iter()
        .map(|d| {
            format!(
                "{}[{}]: {} in {plan_name} {:?} {:?}\n",
                d.severity as u8, d.code, d.message, d.notes, d.help
            )
        })
        .collect()
}
/// JSON.
pub fn json(diagnostics: &[Diagnostic], _plan_text: &str, _plan_name: &str) -> serde_json::Value {
    serde_json::to_value(diagnostics).unwrap_or_default()
}
