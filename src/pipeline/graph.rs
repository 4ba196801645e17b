//! Which outputs feed which inputs, for every type of picture, and the lowering of the whole graph.

use super::file::{File, Reference, StageDecl};
use crate::document::{Code, Diagnostic, Diagnostics};
use crate::image::ImageType;
use crate::ops::gray;
use crate::ops::row::Shape;
use crate::stage::{self, Kind, Lowering, Output, Port, PortType, ValueId, types};
use crate::{Error, Result};

/// Outputs of the picture as it enters the first stage: itself, and its alpha.
fn input_outputs(file: &File, ty: ImageType) -> Vec<Output> {
    let ty = if file.input.is_gray { gray::gray_type(ty) } else { ty };
    vec![("image", PortType::Image(ty)), ("alpha", types::MASK)]
}

/// Types of pictures in the order in which problems are told.
const ORDER: [ImageType; 6] = [
    ImageType::Rgb8,
    ImageType::Gray8,
    ImageType::Rgb16,
    ImageType::Gray16,
    ImageType::RgbF32,
    ImageType::GrayF32,
];

/// The types of pictures the pipeline takes. If it takes none (or not the one it promises), the
/// problems of the type that gets farthest are told.
pub(super) fn accepted_types(
    file: &File,
    kinds: &[&'static Kind],
    problems: &mut Diagnostics,
) -> Vec<ImageType> {
    let mut tried: Vec<ImageType> = file.input.ty.map_or_else(|| ORDER.to_vec(), |ty| vec![ty]);
    // Readers that know may give the gray of a promised colour picture.
    tried.extend(
        tried.first().map(|&ty| gray::gray_type(ty)).filter(|ty| file.input.is_gray && !tried.contains(ty)),
    );
    let mut accepted = Vec::new();
    let mut best: Option<Vec<Diagnostic>> = None;
    for ty in tried {
        match types(file, kinds, ty) {
            Ok(_) => accepted.push(ty),
            Err(found) => {
                let is_better = best.as_ref().is_none_or(|best| {
                    let first = |list: &[Diagnostic]| list.iter().map(|d| d.span.start).min();
                    (found.len(), std::cmp::Reverse(first(&found)))
                        < (best.len(), std::cmp::Reverse(first(best)))
                });
                if is_better {
                    best = Some(found);
                }
            }
        }
    }
    if accepted.is_empty() {
        problems.extend(best.unwrap_or_default());
    }
    accepted
}

/// The outputs of every stage when pictures of type `ty` are read.
pub(super) fn types(
    file: &File,
    kinds: &[&'static Kind],
    ty: ImageType,
) -> Result<Vec<Vec<Output>>, Vec<Diagnostic>> {
    let picture = input_outputs(file, ty);
    let mut problems = Vec::new();
    // `None` where a stage is wrong already: what reads it is not blamed as well.
    let mut outputs: Vec<Option<Vec<Output>>> = Vec::new();
    for stage in &file.stages {
        let mut inputs = Some(Vec::new());
        for (index, reference) in stage.inputs.iter().enumerate() {
            let offered = match reference.stage {
                None => Some(of_picture(&picture, reference)),
                Some(at) => outputs[at].as_deref(),
            };
            let Some(offered) = offered else {
                inputs = None;
                continue;
            };
            match pick(offered, reference, port_at(stage.kind, index)) {
                Ok(at) => {
                    if let Some(inputs) = &mut inputs {
                        inputs.push(offered[at].1);
                    }
                }
                Err(problem) => {
                    let earlier = Earlier { file, kinds, picture: &picture, outputs: &outputs };
                    problems.push(mismatch(stage, index, reference, offered, &problem, &earlier));
                    inputs = None;
                }
            }
        }
        outputs.push(inputs.and_then(|inputs| match stage.stage.outputs(&inputs) {
            Ok(outputs) => Some(outputs),
            Err(message) => {
                let message = format!("stage `{}`: {message}", stage.name);
                problems.push(Diagnostic::new(Code::TypeMismatch, stage.span.clone(), message));
                None
            }
        }));
    }
    if problems.is_empty() { Ok(outputs.into_iter().flatten().collect()) } else { Err(problems) }
}

/// What is wrong with a value given to a stage from outside, if anything is; `giver` is what it is called.
pub(super) fn misfit(kind: &'static Kind, index: usize, giver: &str, gives: PortType) -> Option<Error> {
    let accepts = port_at(kind, index).map_or(&[][..], |port| port.accepts);
    if accepts.contains(&gives) {
        return None;
    }
    let error = Error::shape(wanted(kind.name, accepts, giver, gives));
    let between = between(gives, accepts, stage::ALL);
    Some(match between {
        Some(other) => error.with_hint(format!("put `use = \"{}\"` between them", other.name)),
        None => error,
    })
}

fn wanted(name: &str, accepts: &[PortType], giver: &str, gives: PortType) -> String {
    format!("stage `{name}` wants {}, but `{giver}` gives `{gives}`", listed(accepts))
}

fn port_at(kind: &Kind, index: usize) -> Option<&'static Port> {
    kind.inputs.get(index).or_else(|| kind.inputs.last().filter(|port| port.many))
}

enum Misfit {
    /// No output of that name.
    NoOutput,
    /// No output of a type that is taken.
    NoType,
}

/// What a reference to the picture as read offers: its alpha only where that is named. A stage that takes masks
/// would else read the alpha of colour pictures unasked.
fn of_picture<'a, T>(picture: &'a [T], reference: &Reference) -> &'a [T] {
    if reference.output.is_some() { picture } else { &picture[..1] }
}

/// Which of the offered outputs a reference means.
fn pick(offered: &[Output], reference: &Reference, port: Option<&Port>) -> Result<usize, Misfit> {
    let accepts = port.map_or(&[][..], |port| port.accepts);
    match &reference.output {
        Some(name) => {
            let at = offered.iter().position(|(known, _)| known == name).ok_or(Misfit::NoOutput)?;
            if accepts.contains(&offered[at].1) { Ok(at) } else { Err(Misfit::NoType) }
        }
        None => offered.iter().position(|(_, ty)| accepts.contains(ty)).ok_or(Misfit::NoType),
    }
}

struct Earlier<'a> {
    file: &'a File,
    kinds: &'a [&'static Kind],
    picture: &'a [Output],
    outputs: &'a [Option<Vec<Output>>],
}

fn mismatch(
    stage: &StageDecl,
    index: usize,
    reference: &Reference,
    offered: &[Output],
    misfit: &Misfit,
    earlier: &Earlier<'_>,
) -> Diagnostic {
    let giver = reference.stage.map_or("input", |at| earlier.file.stages[at].name.as_str());
    let span = reference.span.clone();
    if let (Misfit::NoOutput, Some(name)) = (misfit, &reference.output) {
        let hint = crate::document::did_you_mean(name, offered.iter().map(|(name, _)| *name));
        let message = format!("`{giver}` has no output `{name}`");
        return Diagnostic::new(Code::UnknownInput, span, message).with_hint(hint);
    }
    let accepts = port_at(stage.kind, index).map_or(&[][..], |port| port.accepts);
    let gives =
        offered.iter().find(|(name, _)| Some(*name) == reference.output.as_deref()).unwrap_or(&offered[0]).1;
    let message = wanted(&stage.name, accepts, giver, gives);
    Diagnostic::new(Code::TypeMismatch, span, message).with_hint(bridge(&stage.name, gives, accepts, earlier))
}

fn listed(accepts: &[PortType]) -> String {
    let mut names: Vec<&str> = accepts.iter().map(|ty| ty.as_str()).collect();
    names.dedup();
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

/// What would lead from the type there is to one that is taken.
fn bridge(name: &str, gives: PortType, accepts: &[PortType], earlier: &Earlier<'_>) -> Option<String> {
    let fits = |outputs: &[Output]| outputs.iter().any(|(_, ty)| accepts.contains(ty));
    let mut hints = Vec::new();
    let nearest =
        (0..earlier.outputs.len()).rev().find(|&at| earlier.outputs[at].as_deref().is_some_and(fits));
    match nearest {
        Some(at) => hints.push(format!("connect `{name}` to `{}`", earlier.file.stages[at].name)),
        None if fits(&earlier.picture[..1]) => hints.push(format!("connect `{name}` to `input`")),
        None => {}
    }
    if let Some(kind) = between(gives, accepts, earlier.kinds) {
        hints.push(format!("put `use = \"{}\"` between them", kind.name));
    }
    (!hints.is_empty()).then(|| hints.join(", or "))
}

/// The kind of stage that makes one type of another.
fn between(gives: PortType, accepts: &[PortType], kinds: &[&'static Kind]) -> Option<&'static Kind> {
    let bridges = |kind: &&&'static Kind| {
        let [port] = kind.inputs else { return false };
        let built = port.accepts.contains(&gives).then(|| kind.build(serde_json::json!({})).ok()).flatten();
        built.is_some_and(|stage| {
            let outputs = stage.outputs(&[gives]).unwrap_or_default();
            outputs.iter().any(|(_, ty)| accepts.contains(ty))
        })
    };
    // Plain conversions before stages that happen to give the type.
    let plain = |kind: &&&'static Kind| !["gray", "to-u8", "to-f32"].contains(&kind.name);
    kinds.iter().filter(bridges).min_by_key(plain).copied()
}

/// A whole pipeline as operations.
pub(super) struct Lowered {
    pub graph: Lowering,
    /// The picture and its alpha.
    pub input: [ValueId; 2],
    /// Per stage: names and values of its outputs.
    pub outputs: Vec<Vec<(&'static str, ValueId)>>,
}

/// Lowers the graph for pictures of one type and size.
pub(super) fn lower(file: &File, picture: Shape) -> Result<Lowered> {
    let mut graph = Lowering::default();
    let image = graph.input(picture);
    let alpha = graph.input(Shape::new(ImageType::Mask, picture.width, picture.height));
    let seen = if file.input.is_gray { graph.chain(gray::nodes(picture)?, image)? } else { image };
    let offered = [("image", seen), ("alpha", alpha)];
    let mut outputs: Vec<Vec<(&'static str, ValueId)>> = Vec::new();
    for (at, stage) in file.stages.iter().enumerate() {
        let mut inputs = Vec::new();
        for (index, reference) in stage.inputs.iter().enumerate() {
            let offered = reference.stage.map_or_else(|| of_picture(&offered, reference), |at| &outputs[at]);
            let typed: Vec<Output> = offered.iter().map(|(name, id)| (*name, graph.meta(*id).ty())).collect();
            match pick(&typed, reference, port_at(stage.kind, index)) {
                Ok(at) => inputs.push(offered[at].1),
                Err(_) => return Err(Error::shape("inputs do not fit").within(&stage.name)),
            }
        }
        graph.stage = Some(at);
        let types: Vec<PortType> = inputs.iter().map(|id| graph.meta(*id).ty()).collect();
        let declared = stage.stage.outputs(&types).map_err(|m| Error::shape(m).within(&stage.name))?;
        let values = stage.stage.lower(&inputs, &mut graph).map_err(|error| error.within(&stage.name))?;
        let made: Vec<PortType> = values.iter().map(|id| graph.meta(*id).ty()).collect();
        if made != declared.iter().map(|(_, ty)| *ty).collect::<Vec<_>>() {
            let message = format!("declares outputs {declared:?}, but makes {made:?}");
            return Err(Error::new(crate::ErrorKind::Internal, message).within(&stage.name));
        }
        outputs.push(declared.iter().zip(values).map(|((name, _), id)| (*name, id)).collect());
    }
    Ok(Lowered { graph, input: [image, alpha], outputs })
}
