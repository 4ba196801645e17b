//! Which images of a run are written, and whether they can be.

use super::super::console;
use crate::Error;
use crate::image::codec::{Format, check_format};
use crate::pipeline::{Pipeline, Save};

/// What was asked of `--save`.
pub(super) struct Saved {
    pub(super) save: Save,
    /// The stages whose images are written.
    pub(super) names: Vec<String>,
}

/// Finds the stages named.
pub(super) fn saved(pipeline: &Pipeline, asked: &[String]) -> Result<Saved, Error> {
    let known: Vec<&str> = pipeline.stage_names().collect();
    if asked.is_empty() {
        return Ok(Saved { save: Save::Nothing, names: Vec::new() });
    }
    if asked.iter().any(|name| name == "all") && !known.contains(&"all") {
        return Ok(Saved { save: Save::All, names: known.into_iter().map(str::to_owned).collect() });
    }
    for name in asked {
        if !known.contains(&name.as_str()) {
            let error = Error::pipeline(format!("there is no stage `{name}` to save"));
            let hint = crate::document::did_you_mean(name, known.iter().copied().chain(["all"]));
            return Err(hint.into_iter().fold(error, Error::with_hint));
        }
    }
    Ok(Saved { save: Save::Stages(asked.to_vec()), names: asked.to_vec() })
}

/// Refuses a pipeline whose final image cannot be written whatever picture it is given, before any
/// picture is read.
pub(super) fn check_final(
    pipeline: &Pipeline,
    format: Option<Format>,
    saves: bool,
    quiet: bool,
) -> Result<(), Error> {
    let mut refused = None;
    for &input in pipeline.accepted() {
        let types = pipeline.types(input)?;
        let last = types.last().map(Vec::as_slice).unwrap_or_default();
        let Some(ty) = last.iter().find_map(|(_, ty)| ty.image()) else {
            if !saves && !quiet {
                console::warn("the last stage gives no image, so none will be written");
            }
            return Ok(());
        };
        match check_format(ty, format.unwrap_or(super::job::usual_format(ty))) {
            Ok(()) => return Ok(()),
            Err(error) => refused = Some(error),
        }
    }
    refused.map_or(Ok(()), |error| {
        let last = pipeline.stage_names().last().unwrap_or_default();
        Err(error.within(format!("stage `{last}`")))
    })
}
