//! Checking values against the JSON Schema of their declaration, with places.
//!
//! The schemas are those that `schemars` derives from parameter structs; what they use is
//! understood here: types, enums with docs, ranges, lists, nested structs, references. This is
//! what makes one declaration give types, ranges and misspelt names in every message.

use serde_json::Value as Json;

use super::suggest::did_you_mean;
use super::{Code, Diagnostic, Entry, Node, Span, Table};

/// Checks a table against an object schema; `what` names its owner in messages, `at` is the place
/// shown when a key is missing.
pub fn check(table: &Table, at: &Span, schema: &Json, what: &str) -> Vec<Diagnostic> {
    let mut checker = Checker { root: schema, problems: Vec::new() };
    checker.table(table, at, schema, what);
    checker.problems
}

struct Checker<'a> {
    root: &'a Json,
    problems: Vec<Diagnostic>,
}

impl<'a> Checker<'a> {
    fn resolve(&self, mut schema: &'a Json) -> &'a Json {
        for _ in 0..16 {
            let reference = schema.get("$ref").or_else(|| match schema.get("allOf") {
                Some(Json::Array(all)) if all.len() == 1 => all[0].get("$ref"),
                _ => None,
            });
            let Some(name) = reference.and_then(Json::as_str).and_then(|r| r.strip_prefix("#/$defs/")) else {
                break;
            };
            let Some(target) = self.root.get("$defs").and_then(|defs| defs.get(name)) else { break };
            schema = target;
        }
        schema
    }

    fn table(&mut self, table: &Table, at: &Span, schema: &'a Json, what: &str) {
        let schema = self.resolve(schema);
        let Some(properties) = schema.get("properties").and_then(Json::as_object) else { return };
        for (key, span, node) in table.iter() {
            match properties.get(key) {
                Some(property) => self.node(node, property, key, what),
                None if schema.get("additionalProperties") == Some(&Json::Bool(false)) => {
                    let hint = did_you_mean(key, properties.keys().map(String::as_str));
                    let message = format!("{what} has no `{key}`");
                    self.problems
                        .push(Diagnostic::new(Code::UnknownKey, span.clone(), message).with_hint(hint));
                }
                None => {}
            }
        }
        let required = schema.get("required").and_then(Json::as_array);
        for key in required.into_iter().flatten().filter_map(Json::as_str) {
            if table.get(key).is_none() {
                let doc = properties.get(key).and_then(|p| p.get("description")).and_then(Json::as_str);
                let hint = doc.map(|doc| format!("`{key}`: {}", first_line(doc)));
                let message = format!("{what} wants `{key}`");
                self.problems.push(Diagnostic::new(Code::MissingKey, at.clone(), message).with_hint(hint));
            }
        }
    }

    fn node(&mut self, node: &Node, schema: &'a Json, key: &str, what: &str) {
        let before = self.problems.len();
        let own = schema;
        let schema = self.resolve(schema);
        // Ranges may stand beside a reference.
        for schema in [own, schema] {
            self.range(node, schema, key, what);
            if self.problems.len() > before {
                return;
            }
            if std::ptr::eq(own, self.resolve(own)) {
                break;
            }
        }
        if let Some(choices) = self.choices(schema) {
            let fits = choices.iter().any(|choice| **choice == node.to_json());
            if !fits {
                let names: Vec<&str> = choices.iter().filter_map(|choice| choice.as_str()).collect();
                let hint = match node.as_str() {
                    Some(text) => did_you_mean(text, names.iter().copied()),
                    None => did_you_mean("", names.iter().copied()),
                };
                let message = format!("`{key}` of {what} cannot be `{}`", node.literal());
                self.wrong(Code::WrongValue, node, message, hint);
            }
            return;
        }
        if let Some(options) = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Json::as_array) {
            self.any(node, options, key, what);
            return;
        }
        let types: Vec<&str> = match schema.get("type") {
            Some(Json::String(one)) => vec![one],
            Some(Json::Array(many)) => many.iter().filter_map(Json::as_str).collect(),
            _ => return,
        };
        if !types.iter().any(|ty| has_type(node, ty)) {
            let wanted: Vec<&str> = types.iter().filter(|ty| **ty != "null").map(|ty| in_words(ty)).collect();
            let message = format!(
                "`{key}` of {what} wants {}, got {} `{}`",
                wanted.join(" or "),
                node.kind(),
                node.literal()
            );
            self.wrong(Code::WrongValue, node, message, None);
            return;
        }
        match &node.value {
            Entry::Array(list) => self.array(node, list, schema, key, what),
            Entry::Table(table) => self.table(table, &node.span, schema, &format!("`{key}` of {what}")),
            _ => {}
        }
    }

    /// One of several forms: content when any fits; else the problems of the first of the same type.
    fn any(&mut self, node: &Node, options: &'a [Json], key: &str, what: &str) {
        let mut first_of_type: Option<Vec<Diagnostic>> = None;
        for option in options {
            let mut attempt = Checker { root: self.root, problems: Vec::new() };
            attempt.node(node, option, key, what);
            if attempt.problems.is_empty() {
                return;
            }
            let resolved = self.resolve(option);
            let same_type = resolved.get("type").and_then(Json::as_str).is_some_and(|ty| has_type(node, ty));
            let has_choices = self.choices(resolved).is_some() && node.as_str().is_some();
            if first_of_type.is_none() && (same_type || has_choices) {
                first_of_type = Some(attempt.problems);
            }
        }
        match first_of_type {
            Some(problems) => self.problems.extend(problems),
            None => {
                let mut wanted: Vec<String> = Vec::new();
                for option in options.iter().map(|option| self.resolve(option)) {
                    if let Some(choices) = self.choices(option) {
                        wanted.extend(choices.iter().map(|choice| format!("`{choice}`")));
                    } else if let Some(ty) =
                        option.get("type").and_then(Json::as_str).filter(|ty| *ty != "null")
                    {
                        wanted.push(in_words(ty).to_owned());
                    }
                }
                let message = format!(
                    "`{key}` of {what} wants {}, got {} `{}`",
                    wanted.join(" or "),
                    node.kind(),
                    node.literal()
                );
                self.wrong(Code::WrongValue, node, message, None);
            }
        }
    }

    fn array(&mut self, node: &Node, list: &[Node], schema: &'a Json, key: &str, what: &str) {
        let count = |name: &str| schema.get(name).and_then(Json::as_u64);
        let (least, most) = (count("minItems"), count("maxItems"));
        let len = list.len() as u64;
        if least.is_some_and(|least| len < least) || most.is_some_and(|most| len > most) {
            let wanted = match (least, most) {
                (Some(a), Some(b)) if a == b => format!("{a}"),
                (Some(a), Some(b)) => format!("{a} to {b}"),
                (Some(a), None) => format!("at least {a}"),
                (_, b) => format!("at most {}", b.unwrap_or_default()),
            };
            let message = format!("`{key}` of {what} wants {wanted} values, got {len}");
            self.wrong(Code::WrongValue, node, message, None);
            return;
        }
        let prefix = schema.get("prefixItems").and_then(Json::as_array);
        for (index, item) in list.iter().enumerate() {
            let own = prefix.and_then(|prefix| prefix.get(index)).or_else(|| schema.get("items"));
            if let Some(own) = own.filter(|own| own.is_object()) {
                self.node(item, own, key, what);
            }
        }
    }

    fn range(&mut self, node: &Node, schema: &Json, key: &str, what: &str) {
        let value = match node.value {
            Entry::Integer(value) => value as f64,
            Entry::Float(value) => value,
            _ => return,
        };
        let bound = |name: &str| schema.get(name).and_then(Json::as_f64);
        let (least, above) = (bound("minimum"), bound("exclusiveMinimum"));
        let (most, below) = (bound("maximum"), bound("exclusiveMaximum"));
        let fits = least.is_none_or(|b| value >= b)
            && above.is_none_or(|b| value > b)
            && most.is_none_or(|b| value <= b)
            && below.is_none_or(|b| value < b);
        if fits && value.is_finite() {
            return;
        }
        let mut wanted = Vec::new();
        wanted.extend(least.map(|b| format!("at least {b}")));
        wanted.extend(above.map(|b| format!("more than {b}")));
        wanted.extend(most.filter(|b| *b < 1e9).map(|b| format!("at most {b}")));
        wanted.extend(below.map(|b| format!("less than {b}")));
        if wanted.is_empty() {
            if value.is_finite() {
                return;
            }
            wanted.push("a finite number".to_owned());
        }
        let message = format!("`{key}` of {what} wants {}, got `{}`", wanted.join(" and "), node.literal());
        self.wrong(Code::OutOfRange, node, message, None);
    }

    /// The values of an enum, plain or with docs.
    fn choices(&self, schema: &'a Json) -> Option<Vec<&'a Json>> {
        if let Some(Json::Array(values)) = schema.get("enum") {
            return Some(values.iter().collect());
        }
        if let Some(value) = schema.get("const") {
            return Some(vec![value]);
        }
        let options = schema.get("oneOf").or_else(|| schema.get("anyOf"))?.as_array()?;
        let mut values = Vec::new();
        for option in options {
            values.extend(self.choices(self.resolve(option))?);
        }
        Some(values)
    }

    fn wrong(&mut self, code: Code, node: &Node, message: String, hint: Option<String>) {
        self.problems.push(Diagnostic::new(code, node.span.clone(), message).with_hint(hint));
    }
}

fn has_type(node: &Node, ty: &str) -> bool {
    matches!(
        (&node.value, ty),
        (Entry::Text(_), "string")
            | (Entry::Bool(_), "boolean")
            | (Entry::Integer(_), "integer" | "number")
            | (Entry::Float(_), "number")
            | (Entry::Array(_), "array")
            | (Entry::Table(_), "object")
    )
}

fn in_words(ty: &str) -> &str {
    match ty {
        "string" => "a string",
        "boolean" => "a boolean",
        "integer" => "an integer",
        "number" => "a number",
        "array" => "an array",
        "object" => "a table",
        other => other,
    }
}

fn first_line(doc: &str) -> &str {
    doc.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::Deserialize;

    use super::*;
    use crate::document::parse;

    /// A test.
    #[derive(Deserialize, JsonSchema)]
    #[serde(rename_all = "kebab-case", deny_unknown_fields)]
    #[allow(dead_code, reason = "only its schema is used")]
    struct Params {
        /// How wide, in pixels.
        #[schemars(range(min = 0.1, max = 50.0))]
        sigma: f32,
        #[serde(default)]
        mode: Option<Mode>,
        #[serde(default)]
        level: Level,
        #[serde(default)]
        kernel: Vec<Vec<f32>>,
        #[serde(default)]
        size: Option<[u32; 2]>,
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(rename_all = "kebab-case")]
    enum Mode {
        /// The one.
        Reflect,
        /// The other.
        Wrap,
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(untagged)]
    #[allow(dead_code, reason = "only its schema is used")]
    enum Level {
        Fixed(f32),
        Named(Mode),
    }
    impl Default for Level {
        fn default() -> Self {
            Self::Fixed(0.0)
        }
    }

    fn problems(text: &str) -> Vec<(String, String)> {
        let schema = serde_json::to_value(schemars::schema_for!(Params)).unwrap();
        let table = parse(text).unwrap();
        let found = check(&table, &(0..0), &schema, "stage `x`");
        found
            .into_iter()
            .map(|d| (format!("{}: {}", d.code, d.message), d.hint.unwrap_or_default()))
            .collect()
    }

    #[test]
    fn good_tables_pass() {
        let good = "sigma = 2\nmode = 'wrap'\nlevel = 'reflect'\nkernel = [[1, 2.5]]\nsize = [3, 4]";
        assert_eq!(problems(good), []);
        assert_eq!(problems("sigma = 0.5\nlevel = 3"), []);
    }

    #[test]
    fn every_problem_is_named_with_a_hint() {
        let found = problems("sigm = 2\nmode = 'warp'\nkernel = [[1, 'a']]\nsize = [1]");
        assert_eq!(
            found.iter().map(|(m, _)| m.as_str()).collect::<Vec<_>>(),
            [
                "P002: stage `x` has no `sigm`",
                "P004: `mode` of stage `x` cannot be `\"warp\"`",
                "P004: `kernel` of stage `x` wants a number, got a string `\"a\"`",
                "P004: `size` of stage `x` wants 2 values, got 1",
                "P003: stage `x` wants `sigma`",
            ]
        );
        assert_eq!(found[0].1, "did you mean `sigma`?");
        assert_eq!(found[1].1, "did you mean `wrap`?");
        assert_eq!(found[4].1, "`sigma`: How wide, in pixels.");
    }

    #[test]
    fn ranges_are_checked() {
        assert_eq!(
            problems("sigma = 0")[0].0,
            "P005: `sigma` of stage `x` wants at least 0.1 and at most 50, got `0`"
        );
        assert_eq!(problems("sigma = nan").len(), 1);
        assert_eq!(problems("sigma = 1\nlevel = true")[0].0.split(", got").count(), 2);
    }
}
