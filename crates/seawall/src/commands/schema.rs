//! `seawall schema`: the JSON Schema of the plan file, for editors.

use crate::failure::{FINE, Failure};
use crate::output;

pub(crate) fn run() -> Result<u8, Failure> {
    output::say_json(&seawall_plan::schema());
    Ok(FINE)
}
