//! Parameters as their schema declares them, in words.

use serde_json::Value as Json;

/// A parameter of a stage.
pub(super) struct Parameter {
    pub name: String,
    /// What it may be: `number`, `list of numbers`, ...
    pub kind: String,
    /// The words it may be, with what they mean.
    pub choices: Vec<(String, String)>,
    /// What it is when nobody says; `None` where it has to be given.
    pub default: Option<Json>,
    pub is_required: bool,
    /// `0.1 to 50`, or nothing.
    pub range: String,
    pub doc: String,
}

impl Parameter {
    /// Type, range and default in a line.
    pub(super) fn facts(&self) -> String {
        let mut words = Vec::new();
        if self.choices.is_empty() || !self.kind.is_empty() {
            words.push(self.kind.clone());
        }
        let quoted = self.choices.iter().map(|(value, _)| format!("`{value}`")).collect::<Vec<_>>();
        if !quoted.is_empty() {
            words.push(quoted.join(" | "));
        }
        let mut facts = words.join(" or ");
        if !self.range.is_empty() {
            facts.push_str(&format!(", {}", self.range));
        }
        match &self.default {
            _ if self.is_required => facts.push_str(", required"),
            None | Some(Json::Null) => facts.push_str(", optional"),
            Some(default) => facts.push_str(&format!(", default `{default}`")),
        }
        facts
    }
}

/// The parameters of a schema, in the order they were declared.
pub(super) fn parameters(schema: &Json) -> Vec<Parameter> {
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    let properties = schema["properties"].as_object();
    let parameter = |(name, own): (&String, &Json)| {
        let mut choices = Vec::new();
        collect_choices(own, schema, &mut choices);
        Parameter {
            name: name.clone(),
            kind: kind(own, schema),
            choices,
            default: own.get("default").cloned(),
            is_required: required.contains(&name.as_str()),
            range: range(own, schema),
            doc: own["description"].as_str().unwrap_or_default().to_owned(),
        }
    };
    properties.into_iter().flatten().map(parameter).collect()
}

/// What a reference leads to.
fn resolve<'a>(mut schema: &'a Json, root: &'a Json) -> &'a Json {
    for _ in 0..16 {
        let name = schema["$ref"].as_str().and_then(|name| name.strip_prefix("#/$defs/"));
        match name.map(|name| &root["$defs"][name]) {
            Some(target) => schema = target,
            None => break,
        }
    }
    schema
}

/// The forms a value may have.
fn forms(schema: &Json) -> impl Iterator<Item = &Json> {
    ["anyOf", "oneOf", "allOf"].into_iter().filter_map(|key| schema[key].as_array()).flatten()
}

fn collect_choices(schema: &Json, root: &Json, choices: &mut Vec<(String, String)>) {
    let schema = resolve(schema, root);
    let shown = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if let Some(value) = schema.get("const") {
        choices.push((shown(value), schema["description"].as_str().unwrap_or_default().to_owned()));
    }
    for value in schema["enum"].as_array().into_iter().flatten().filter(|value| !value.is_null()) {
        choices.push((shown(value), String::new()));
    }
    for form in forms(schema) {
        collect_choices(form, root, choices);
    }
}

/// The type in words; nothing for words that are listed.
fn kind(schema: &Json, root: &Json) -> String {
    let schema = resolve(schema, root);
    if schema.get("const").is_some() || schema.get("enum").is_some() {
        return String::new();
    }
    let mut kinds: Vec<String> = match &schema["type"] {
        Json::String(one) => vec![one.clone()],
        Json::Array(many) => many.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
        _ => forms(schema).map(|form| kind(form, root)).collect(),
    };
    kinds.retain(|kind| kind != "null" && !kind.is_empty());
    for kind in &mut kinds {
        if kind == "array" {
            let item = self::kind(&schema["items"], root);
            let count = |key: &str| schema[key].as_u64();
            *kind = match (count("minItems"), count("maxItems")) {
                (Some(least), Some(most)) if least == most => format!("{least} values"),
                _ if item.is_empty() => "list".to_owned(),
                _ => format!("list of {}", plural(&item)),
            };
            if let (Some(_), false) = (count("maxItems"), item.is_empty()) {
                kind.push_str(&format!(" ({item})"));
            }
        }
    }
    kinds.dedup();
    kinds.join(" or ")
}

/// `numbers`, `lists of numbers`.
fn plural(kind: &str) -> String {
    kind.strip_prefix("list").map_or_else(|| format!("{kind}s"), |of| format!("lists{of}"))
}

fn range(own: &Json, root: &Json) -> String {
    let of = |schema: &Json| {
        let bound = |key: &str| schema[key].as_f64();
        // The limits of the number's own type say nothing to a reader.
        let most = bound("maximum").filter(|most| *most < 4e9);
        let mut words = Vec::new();
        match (bound("minimum"), most) {
            (Some(least), Some(most)) => words.push(format!("{least} to {most}")),
            (Some(least), None) => words.push(format!("at least {least}")),
            (None, Some(most)) => words.push(format!("at most {most}")),
            (None, None) => {}
        }
        words.extend(bound("exclusiveMinimum").map(|bound| format!("more than {bound}")));
        words.extend(bound("exclusiveMaximum").map(|bound| format!("less than {bound}")));
        words.join(", ")
    };
    std::iter::once(own)
        .chain([resolve(own, root)])
        .map(of)
        .find(|range| !range.is_empty())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn schemas_become_words() {
        let schema = json!({
            "required": ["path"],
            "properties": {
                "sigma": {"type": "number", "minimum": 0.0, "maximum": 150.0, "default": 1.0, "description": "Width."},
                "size": {"type": ["integer", "null"], "minimum": 1},
                "mode": {"$ref": "#/$defs/Mode", "default": "wrap"},
                "method": {"anyOf": [{"$ref": "#/$defs/Mode"}, {"type": "null"}]},
                "path": {"type": "string"},
                "min-size": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
                "kernel": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
            },
            "$defs": {"Mode": {"oneOf": [
                {"type": "string", "const": "wrap", "description": "Round."},
                {"type": "string", "enum": ["valid"]},
            ]}},
        });
        let facts: Vec<String> = parameters(&schema).iter().map(Parameter::facts).collect();
        let find = |name: &str| {
            let at = parameters(&schema).iter().position(|parameter| parameter.name == name).unwrap();
            facts[at].as_str()
        };
        assert_eq!(find("sigma"), "number, 0 to 150, default `1.0`");
        assert_eq!(find("size"), "integer, at least 1, optional");
        assert_eq!(find("mode"), "`wrap` | `valid`, default `\"wrap\"`");
        assert_eq!(find("method"), "`wrap` | `valid`, optional");
        assert_eq!(find("path"), "string, required");
        assert_eq!(find("min-size"), "2 values (integer), optional");
        assert_eq!(find("kernel"), "list of lists of numbers, optional");
    }
}
