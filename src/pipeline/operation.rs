//! One stage on values at hand, without a file: what language bindings call.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::Value as Json;

use super::file::{self, File, Schedule, StageDecl};
use super::graph::{self, Lowered};
use super::plan::{Plan, internal};
use super::run::{self, Space};
use crate::document::{Diagnostics, Entry, Node, OUTSIDE, Resources, Source};
use crate::ops::Context;
use crate::ops::row::Shape;
use crate::stage::{CHART, Kind, Lowering, Meta, PortType, Value, ValueId};
use crate::{Error, Result};

/// A stage with its parameters, ready to run on values; shareable between threads.
///
/// It computes what the stage does in a [`Pipeline`](super::Pipeline), by the same plan: parameters are
/// checked and values refused in the same words. Plans are kept by the shapes of the inputs, so that
/// calls on pictures of one size cost little beside the work.
///
/// ```
/// use std::sync::Arc;
/// use lyncean::document::Resources;
/// use lyncean::image::{Affine, Image, Plane};
/// use lyncean::ops::Context;
/// use lyncean::pipeline::Operation;
/// use lyncean::stage::{ImageValue, Value, sobel};
///
/// let parameters = serde_json::json!({ "output": "dx" });
/// let dx = Operation::new(&sobel::KIND, &parameters, &Resources::default())?;
/// let slope = Image::Gray8(Plane::from_fn(5, 4, |x, _| 10 * x as u8));
/// let slope = Value::Image(ImageValue { image: Arc::new(slope), map: Affine::IDENTITY });
/// let outputs = dx.run(&[slope], &Context::default())?;
/// let (name, Value::Image(value)) = &outputs[0] else { panic!("`sobel` gives an image") };
/// assert_eq!((*name, value.image.as_gray_f32()?.get(2, 2)), ("image", 80.0));
/// # Ok::<(), lyncean::Error>(())
/// ```
pub struct Operation {
    kind: &'static Kind,
    file: File,
    resources: BTreeMap<String, String>,
    plans: Mutex<Vec<Arc<Prepared>>>,
}

/// Plans kept at most; folders hold few sizes.
const PLANS: usize = 16;

/// Spaces kept at most a plan: one for each run at a time.
const SPACES: usize = 16;

/// A plan, and for what it was made.
struct Prepared {
    inputs: Vec<Meta>,
    threads: usize,
    strip_rows: Option<usize>,
    plan: Plan,
    given: Vec<ValueId>,
    /// What earlier runs worked in, for those to come.
    spaces: Mutex<Vec<Space>>,
}

impl Operation {
    /// A stage with parameters as a JSON object; those that are null are taken as not given.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) with [all problems](Error::diagnostics) of the parameters,
    /// resources that cannot be had among them.
    pub fn new(kind: &'static Kind, parameters: &Json, resources: &Resources) -> Result<Self> {
        let outside = |value| Node { span: OUTSIDE, value };
        let mut table = crate::document::Table::default();
        for (key, value) in parameters.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null())
        {
            let node = Node::from_json(value)
                .ok_or_else(|| Error::pipeline(format!("`{key}` of stage `{}` holds null", kind.name)))?;
            table.set(key, OUTSIDE, node);
        }
        let parameters = table.to_json();
        table.set("use", OUTSIDE, outside(Entry::Text(kind.name.to_owned())));
        let node = outside(Entry::Table(table.clone()));
        let mut problems = Diagnostics::new(Source::new("parameters", ""));
        let own = resources.apart();
        let built = file::read_stage(&table, &node, kind.name, &[kind], &own, &mut problems);
        let used = own.used();
        resources.note(&used);
        if let Some(error) = problems.into_error() {
            return Err(error);
        }
        let (_, stage, span) = built.ok_or_else(|| internal("a stage without problems was not built"))?;
        let name = kind.name.to_owned();
        let decl =
            StageDecl { name, kind, inputs: Vec::new(), stage, parameters, resources: used.clone(), span };
        let file = File { stages: vec![decl], schedule: Schedule::default(), input: file::Input::default() };
        Ok(Self { kind, file, resources: used, plans: Mutex::default() })
    }

    /// The kind of stage.
    pub fn kind(&self) -> &'static Kind {
        self.kind
    }

    /// Names and fingerprints of the resources that its parameters name.
    pub fn resources(&self) -> &BTreeMap<String, String> {
        &self.resources
    }

    /// The outputs for inputs of these types. [`CHART`] is none of them: drawing takes longer than finding a
    /// level; a pipeline that saves its stages has it.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when the stage does not take them.
    pub fn outputs(&self, inputs: &[PortType]) -> Result<Vec<crate::stage::Output>> {
        self.check(inputs)?;
        let mut outputs = self.declared(inputs)?;
        outputs.retain(|(name, _)| *name != CHART);
        Ok(outputs)
    }

    fn declared(&self, inputs: &[PortType]) -> Result<Vec<crate::stage::Output>> {
        let stage = &self.file.stages[0].stage;
        stage.outputs(inputs).map_err(|message| Error::shape(message).within(self.kind.name))
    }

    /// Runs on a value for each port, and returns names and values of the outputs.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when the stage does not take the values; whatever it meets;
    /// [`Cancelled`](crate::ErrorKind::Cancelled).
    pub fn run(&self, inputs: &[Value], cx: &Context) -> Result<Vec<(&'static str, Value)>> {
        let prepared = self.prepared(inputs, cx)?;
        let mut space = prepared.spaces.lock().ok().and_then(|mut spaces| spaces.pop()).unwrap_or_default();
        space.values.extend(prepared.given.iter().copied().zip(inputs.iter().cloned()));
        run::carry_out(&prepared.plan, None, &mut space, cx)?;
        let (_, outputs) = &prepared.plan.stages[0];
        let value = |&(name, id): &(&'static str, ValueId)| {
            let value = space.values.get(id).cloned();
            value.map(|value| (name, value)).ok_or_else(|| internal("an output was not made"))
        };
        let results = outputs.iter().map(value).collect();
        space.values.clear();
        if let Ok(mut spaces) = prepared.spaces.lock()
            && spaces.len() < SPACES
        {
            spaces.push(space);
        }
        results
    }

    fn check(&self, inputs: &[PortType]) -> Result<()> {
        if let Some(message) = file::wrong_count(self.kind, self.kind.name, inputs.len()) {
            return Err(Error::shape(message));
        }
        for (index, ty) in inputs.iter().enumerate() {
            let port = self.kind.inputs.get(index).or(self.kind.inputs.last());
            let giver = port.map_or("input", |port| port.name);
            if let Some(error) = graph::misfit(self.kind, index, giver, *ty) {
                return Err(error);
            }
        }
        Ok(())
    }

    fn prepared(&self, inputs: &[Value], cx: &Context) -> Result<Arc<Prepared>> {
        let fits = |known: &&Arc<Prepared>| {
            (known.threads, known.strip_rows) == (cx.threads, cx.strip_rows)
                && known.inputs.iter().copied().eq(inputs.iter().map(meta))
        };
        if let Some(known) = self.plans.lock().ok().and_then(|plans| plans.iter().find(fits).cloned()) {
            return Ok(known);
        }
        let prepared = Arc::new(self.prepare(inputs.iter().map(meta).collect(), cx)?);
        if let Ok(mut plans) = self.plans.lock() {
            if plans.len() == PLANS {
                plans.remove(0);
            }
            plans.push(Arc::clone(&prepared));
        }
        Ok(prepared)
    }

    fn prepare(&self, inputs: Vec<Meta>, cx: &Context) -> Result<Prepared> {
        let types: Vec<PortType> = inputs.iter().map(Meta::ty).collect();
        self.check(&types)?;
        let declared = self.declared(&types)?;
        let mut graph = Lowering::default();
        let given: Vec<ValueId> = inputs.iter().map(|meta| graph.given(*meta)).collect();
        // A plan knows a picture and its alpha; here neither is read by those names.
        let unread = graph.given(Meta::Data(crate::stage::DataType::Measures));
        graph.stage = Some(0);
        let values = self.file.stages[0]
            .stage
            .lower(&given, &mut graph)
            .map_err(|error| error.within(self.kind.name))?;
        let outputs: Vec<(&'static str, ValueId)> = declared
            .iter()
            .zip(values)
            .map(|((name, _), id)| (*name, id))
            .filter(|(name, _)| *name != CHART)
            .collect();
        let mut kept: Vec<ValueId> = outputs.iter().map(|(_, id)| *id).collect();
        kept.sort_unstable();
        kept.dedup();
        let lowered = Lowered { graph, input: [unread; 2], outputs: vec![outputs] };
        let plan = Plan::of(&self.file, lowered, kept, true, cx)?;
        Ok(Prepared {
            inputs,
            threads: cx.threads,
            strip_rows: cx.strip_rows,
            plan,
            given,
            spaces: Mutex::default(),
        })
    }
}

fn meta(value: &Value) -> Meta {
    match value {
        Value::Image(value) => Meta::Image { shape: Shape::of(&value.image), map: value.map },
        other => match other.ty() {
            PortType::Data(ty) => Meta::Data(ty),
            // `ty` of what is no image is data.
            PortType::Image(_) => Meta::Data(crate::stage::DataType::Measures),
        },
    }
}
