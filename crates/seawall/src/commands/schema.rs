//! `seawall schema`: the JSON Schemas of the files that people write, for editors.

use crate::args::SchemaOf;
use crate::failure::{FINE, Failure};
use crate::output;

pub(crate) fn run(of: SchemaOf) -> Result<u8, Failure> {
    output::say_json(&match of {
        SchemaOf::Plan => seawall_plan::schema(),
        SchemaOf::Decisions => seawall_plan::decisions_schema(),
    });
    Ok(FINE)
}
