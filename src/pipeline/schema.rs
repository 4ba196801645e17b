//! The JSON Schema of pipeline files, for editors.

use serde_json::{Map, Value as Json, json};

use super::file::{DECODE, Schedule, VERSION};
use crate::image::ImageType;
use crate::stage::Kind;

/// The schema of pipeline files that may use these kinds of stages.
///
/// `use`, `name` and `in` stand among each stage's own properties: a schema put together with
/// `allOf` would refuse them, since parameters deny what they do not know.
pub fn schema(kinds: &[&Kind]) -> Json {
    let mut definitions = Map::new();
    let mut stages = Vec::new();
    for kind in kinds {
        let mut schema = kind.schema();
        if let Some(Json::Object(own)) = schema.get_mut("$defs").map(Json::take) {
            definitions.extend(own);
        }
        let Some(object) = schema.as_object_mut() else { continue };
        for key in ["$schema", "$defs"] {
            object.remove(key);
        }
        object.insert("title".into(), kind.name.into());
        let properties = object.entry("properties").or_insert_with(|| json!({}));
        if let Some(properties) = properties.as_object_mut() {
            properties.insert("use".into(), json!({"const": kind.name}));
            properties
                .insert("name".into(), json!({"type": "string", "description": "What others call it."}));
            properties.insert(
                "in".into(),
                json!({
                    "description": "The stages it reads; the one above by default.",
                    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
                }),
            );
        }
        let required = object.entry("required").or_insert_with(|| json!([]));
        if let Some(required) = required.as_array_mut() {
            required.push("use".into());
        }
        object.insert("additionalProperties".into(), false.into());
        let name = format!("stage-{}", kind.name);
        stages.push(json!({"$ref": format!("#/$defs/{name}")}));
        definitions.insert(name, schema);
    }
    let mut schedule = schemars::schema_for!(Schedule).to_value();
    if let Some(Json::Object(own)) = schedule.get_mut("$defs").map(Json::take) {
        definitions.extend(own);
    }
    if let Some(object) = schedule.as_object_mut() {
        object.remove("$schema");
        object.remove("$defs");
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "lyncean pipeline",
        "type": "object",
        "required": ["version", "stage"],
        "additionalProperties": false,
        "properties": {
            "version": {"const": VERSION, "description": "The version of the file format."},
            "input": {
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "type": {
                        "enum": ImageType::READ.map(ImageType::as_str),
                        "description": "The type of all pictures; what it does not fit is refused.",
                    },
                    "decode": {
                        "enum": DECODE,
                        "default": DECODE[0],
                        "description": "What of a picture is read. `stored` is all of it. `gray` makes \
                            `input` gray: of a JPEG it is the luma that the file stores, which is read in \
                            less time than colours and differs from their gray by up to 23 at edges between \
                            strong colours (under 0.1 in the mean); other \
                            pictures are turned as by the stage `gray`.",
                    },
                },
            },
            "schedule": schedule,
            "stage": {"type": "array", "minItems": 1, "items": {"oneOf": stages}},
        },
        "$defs": definitions,
    })
}
