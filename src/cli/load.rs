//! Pipelines and settings as commands name them.

use std::path::Path;

use crate::pipeline::{Loader, Pipeline};
use crate::{Error, Result};

/// A pipeline from a path or `builtin:NAME`, with `stage.key=value` over what it says.
pub(super) fn pipeline(path: &Path, parameters: &[String]) -> Result<Pipeline> {
    pipeline_until(path, parameters, None)
}

/// [`pipeline`] without the stages after one.
pub(super) fn pipeline_until(path: &Path, parameters: &[String], last: Option<&str>) -> Result<Pipeline> {
    let mut loader = Loader::new();
    if let Some(last) = last {
        loader = loader.until(last);
    }
    for parameter in parameters {
        let Some((key, value)) = parameter.split_once('=') else {
            let error = Error::pipeline(format!("`{parameter}` gives no value"));
            return Err(error.with_hint("write `-p stage.key=value`"));
        };
        loader = loader.with_override(key.trim(), value.trim());
    }
    loader.load(path).map_err(|error| suggest_builtin(path, error))
}

/// Whoever writes `coins` for a file that is not there may mean `builtin:coins`.
pub(super) fn suggest_builtin(path: &Path, error: Error) -> Error {
    let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let is_builtin = crate::builtin::PIPELINES.iter().any(|(known, _)| *known == name);
    if error.kind() == crate::ErrorKind::Io && is_builtin && !path.exists() {
        return error.with_hint(format!("did you mean `builtin:{name}`?"));
    }
    error
}

/// Settings from a file in TOML, checked against their schema: all problems at once, with their places.
pub(super) fn settings<T: serde::de::DeserializeOwned + schemars::JsonSchema>(path: &Path) -> Result<T> {
    let source = crate::document::Source::read(path)?;
    let table = crate::document::parse(source.text());
    let mut problems = crate::document::Diagnostics::new(source.clone());
    let schema = schemars::schema_for!(T).to_value();
    match &table {
        Ok(table) => {
            let all = 0..source.text().len();
            problems.extend(crate::document::check(table, &all, &schema, "the settings"));
        }
        Err(found) => problems.extend(found.iter().cloned()),
    }
    if let Some(error) = problems.into_error() {
        return Err(error);
    }
    let json = table.unwrap_or_default().to_json();
    serde_json::from_value(json).map_err(|error| Error::pipeline(error.to_string()))
}
