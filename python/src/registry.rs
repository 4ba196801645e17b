//! The registry of stages as JSON: what functions, docs and stubs of Python are made of.

use std::collections::BTreeMap;

use lyncean::document::{self, Resources};
use lyncean::stage::{self, Kind, Port, PortType};
use pyo3::prelude::*;
use serde_json::{Map, Value as Json, json};

use crate::operation::kind_at;

/// The names of all kinds, in the order of their indices.
#[pyfunction]
pub(crate) fn names() -> Vec<&'static str> {
    stage::ALL.iter().map(|kind| kind.name).collect()
}

/// What is known of a kind, as JSON: name, family, doc, inputs, the schema of the parameters, and an example in TOML.
#[pyfunction]
pub(crate) fn entry(kind: usize) -> PyResult<String> {
    let kind = kind_at(kind)?;
    let port = |port: &Port| json!({"name": port.name, "accepts": type_names(port), "many": port.many});
    let entry = json!({
        "name": kind.name,
        "family": kind.family.as_str(),
        "summary": kind.summary(),
        "doc": kind.doc(),
        "inputs": kind.inputs.iter().map(port).collect::<Json>(),
        "parameters": kind.schema(),
        "example": kind.example,
    });
    Ok(entry.to_string())
}

/// The outputs of a kind, as JSON. For itself, since they are found by trying parameters.
#[pyfunction]
pub(crate) fn outputs(kind: usize) -> PyResult<String> {
    Ok(possible_outputs(kind_at(kind)?).to_string())
}

fn type_names(port: &Port) -> Vec<&'static str> {
    let mut names: Vec<&str> = port.accepts.iter().map(|ty| ty.as_str()).collect();
    names.dedup();
    names
}

/// The outputs with the types they may have, and `always`: whether they are there whatever the parameters.
fn possible_outputs(kind: &Kind) -> Json {
    let mut order: Vec<&str> = Vec::new();
    let mut seen: BTreeMap<&str, (Vec<&str>, usize)> = BTreeMap::new();
    let mut ways = 0;
    for parameters in variants(kind) {
        let Ok(mut stage) = kind.build(parameters) else { continue };
        let resources = Resources::new(None).with_builtin(lyncean::builtin::RESOURCES);
        // Parameters of other places of the example may be missing; types seldom depend on them.
        let _ = stage.prepare(&resources);
        let mut here: Vec<&str> = Vec::new();
        for types in combinations(kind) {
            for (name, ty) in stage.outputs(&types).unwrap_or_default() {
                // What is drawn for the eye is made by pipelines that save it, and not by `ops`.
                if name == stage::CHART {
                    continue;
                }
                if !here.contains(&name) {
                    here.push(name);
                }
                let known = &mut seen.entry(name).or_default().0;
                if !known.contains(&ty.as_str()) {
                    known.push(ty.as_str());
                }
            }
        }
        ways += usize::from(!here.is_empty());
        for name in here {
            if !order.contains(&name) {
                order.push(name);
            }
            seen.entry(name).or_default().1 += 1;
        }
    }
    let output = |name: &&str| {
        let (types, count) = &seen[name];
        json!({"name": name, "types": types, "always": *count == ways})
    };
    order.iter().map(output).collect()
}

/// The parameters of the example, and with each word that one of them may be in its place.
fn variants(kind: &Kind) -> Vec<Json> {
    let example = document::parse(kind.example).map(|table| table.without(&["use", "name", "in"]).to_json());
    let base = example.unwrap_or_else(|_| json!({}));
    let schema = kind.schema();
    let mut all = vec![base.clone()];
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let mut words = Vec::new();
        choices(property, &schema, 0, &mut words);
        for word in words {
            let mut changed = base.as_object().cloned().unwrap_or_else(Map::new);
            changed.insert(name.clone(), word);
            all.push(Json::Object(changed));
        }
    }
    all
}

/// The words a value may be.
fn choices(schema: &Json, root: &Json, depth: usize, words: &mut Vec<Json>) {
    if depth > 8 {
        return;
    }
    if let Some(name) = schema["$ref"].as_str().and_then(|name| name.strip_prefix("#/$defs/")) {
        return choices(&root["$defs"][name], root, depth + 1, words);
    }
    words.extend(schema.get("const").cloned());
    words.extend(schema["enum"].as_array().into_iter().flatten().filter(|word| !word.is_null()).cloned());
    for key in ["anyOf", "oneOf", "allOf"] {
        for form in schema[key].as_array().into_iter().flatten() {
            choices(form, root, depth + 1, words);
        }
    }
}

/// Types for the ports: every type of the first, the same or the first fitting one for the others.
fn combinations(kind: &Kind) -> Vec<Vec<PortType>> {
    let Some((first, others)) = kind.inputs.split_first() else { return vec![Vec::new()] };
    let mut all = Vec::new();
    for &ty in first.accepts {
        let one = |port: &Port| {
            let same = port.accepts.contains(&ty).then_some(ty);
            same.or(port.accepts.first().copied())
        };
        if first.many {
            all.push(Vec::new());
        }
        let needed = others.iter().filter(|port| !port.many).filter_map(one);
        all.push(std::iter::once(ty).chain(needed).collect());
        all.push(std::iter::once(ty).chain(others.iter().filter_map(one)).collect());
    }
    all
}
