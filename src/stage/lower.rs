//! From stages to operations: row nodes, reductions with a map, whole steps.

use std::sync::Arc;

use super::port::{DataType, PortType};
use super::value::{Measures, Value};
use crate::image::{Affine, BorderMode};
use crate::ops::Context;
use crate::ops::row::{Reduction, RowNode, Shape, State};
use crate::{Error, Result};

/// A value of a pipeline while it is planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueId(pub(crate) usize);

/// What is known of a value before anything runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Meta {
    /// An image: type, size, and where its pixels lie in the picture as read.
    Image {
        /// Type and size.
        shape: Shape,
        /// From coordinates of this image to those of the picture as read.
        map: Affine,
    },
    /// Anything else.
    Data(DataType),
}

impl Meta {
    /// The type of the value.
    pub fn ty(&self) -> PortType {
        match self {
            Self::Image { shape, .. } => PortType::Image(shape.ty),
            Self::Data(ty) => PortType::Data(*ty),
        }
    }
}

/// An operation on whole values.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::Context;
/// use lyncean::stage::{ImageValue, Value, Whole};
///
/// /// Rows from the last to the first.
/// struct Upside;
///
/// impl Whole for Upside {
///     fn name(&self) -> &'static str {
///         "upside"
///     }
///
///     fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> lyncean::Result<()> {
///         let [Value::Image(ImageValue { image, map })] = inputs else { panic!("it takes an image") };
///         let from = image.as_gray8()?;
///         let mut turned = cx.image(image.ty(), from.width(), from.height());
///         if let Image::Gray8(to) = &mut turned {
///             (0..from.height()).for_each(|y| to.row_mut(y).copy_from_slice(from.row(from.height() - 1 - y)));
///         }
///         outputs.push(Value::Image(ImageValue { image: cx.share(turned), map: *map }));
///         Ok(())
///     }
/// }
///
/// let cx = Context::default();
/// let image = Image::Gray8(Plane::from_fn(2, 3, |_, y| y as u8));
/// let given = Value::Image(ImageValue { image: cx.share(image), map: Default::default() });
/// let mut made = Vec::new();
/// Upside.run(&cx, &[given], &mut made)?;
/// let Value::Image(value) = &made[0] else { panic!("it gives an image") };
/// assert_eq!(value.image.as_gray8()?.get(0, 0), 2);
/// # Ok::<(), lyncean::Error>(())
/// ```
pub trait Whole: Send + Sync {
    /// The name in plans and messages.
    fn name(&self) -> &'static str;

    /// Computes the outputs, of the types and sizes declared when it was lowered, and adds them to `outputs`. With
    /// images of [`Context::image`] and [`Context::share`] a loop needs no fresh memory.
    ///
    /// # Errors
    /// Whatever the operation meets; [`Cancelled`](crate::ErrorKind::Cancelled).
    fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()>;
}

/// What a reduction's state turns into: the map for the next run, which looks at each pixel alone, and
/// numbers for the record. A closure that makes both is one.
pub trait Finish: Send + Sync {
    /// Makes the map and the numbers.
    ///
    /// # Errors
    /// Whatever makes the observation useless.
    fn finish(&self, state: &mut State) -> Result<(Arc<dyn RowNode>, Measures)>;

    /// Makes them from those of an earlier image, in the same memory where that is possible.
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    fn refit(&self, state: &mut State, node: &mut Arc<dyn RowNode>, measures: &mut Measures) -> Result<()> {
        (*node, *measures) = self.finish(state)?;
        Ok(())
    }
}

impl<F> Finish for F
where
    F: Fn(&mut State) -> Result<(Arc<dyn RowNode>, Measures)> + Send + Sync,
{
    fn finish(&self, state: &mut State) -> Result<(Arc<dyn RowNode>, Measures)> {
        self(state)
    }
}

/// An operation of a lowered pipeline.
#[derive(Clone)]
pub(crate) enum OpKind {
    /// The picture as read, or its alpha.
    Input,
    /// A row node.
    Rows(Arc<dyn RowNode>),
    /// Observes its input; its first output is the input mapped, its second the measures.
    Reduce {
        /// What is observed.
        reduction: Arc<dyn Reduction>,
        /// What follows from it.
        finish: Arc<dyn Finish>,
    },
    /// A whole step.
    Whole(Arc<dyn Whole>),
}

#[derive(Clone)]
pub(crate) struct Op {
    pub kind: OpKind,
    pub inputs: Vec<ValueId>,
    pub outputs: Vec<ValueId>,
    /// The stage it belongs to; `None` for the picture as read.
    pub stage: Option<usize>,
}

impl Op {
    pub(crate) fn name(&self) -> &'static str {
        match &self.kind {
            OpKind::Input => "input",
            OpKind::Rows(node) => node.name(),
            OpKind::Reduce { reduction, .. } => reduction.name(),
            OpKind::Whole(step) => step.name(),
        }
    }
}

/// The graph that stages lower themselves into.
#[derive(Clone, Default)]
pub struct Lowering {
    pub(crate) ops: Vec<Op>,
    pub(crate) metas: Vec<Meta>,
    /// Per value: the operation that makes it.
    pub(crate) producers: Vec<usize>,
    pub(crate) stage: Option<usize>,
}

impl Lowering {
    /// What is known of a value.
    pub fn meta(&self, value: ValueId) -> Meta {
        self.metas[value.0]
    }

    /// Type and size of an image value.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when the value is no image.
    pub fn shape(&self, value: ValueId) -> Result<Shape> {
        match self.metas[value.0] {
            Meta::Image { shape, .. } => Ok(shape),
            Meta::Data(_) => {
                Err(Error::shape(format!("expected an image, got `{}`", self.metas[value.0].ty())))
            }
        }
    }

    /// Where the pixels of an image value lie in the picture as read; the identity for data.
    pub fn map(&self, value: ValueId) -> Affine {
        match self.metas[value.0] {
            Meta::Image { map, .. } => map,
            Meta::Data(_) => Affine::IDENTITY,
        }
    }

    /// Adds an image that is read from outside.
    pub(crate) fn input(&mut self, shape: Shape) -> ValueId {
        self.push(OpKind::Input, &[], vec![Meta::Image { shape, map: Affine::IDENTITY }])[0]
    }

    /// Adds a value of any type that is read from outside.
    pub(crate) fn given(&mut self, meta: Meta) -> ValueId {
        self.push(OpKind::Input, &[], vec![meta])[0]
    }

    /// Adds a row node; its output lies where its first input lies.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when an input is no image.
    pub fn rows(&mut self, node: Arc<dyn RowNode>, inputs: &[ValueId]) -> Result<ValueId> {
        let map = inputs.first().map_or(Affine::IDENTITY, |first| self.map(*first));
        self.rows_mapped(node, inputs, map)
    }

    /// Adds row nodes one after the other; none at all leaves the value as it is.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when the input is no image.
    pub fn chain(&mut self, nodes: Vec<Arc<dyn RowNode>>, input: ValueId) -> Result<ValueId> {
        nodes.into_iter().try_fold(input, |value, node| self.rows(node, &[value]))
    }

    /// Adds a row node whose pixels lie elsewhere: `map` leads to the picture as read.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when an input is no image.
    pub fn rows_mapped(
        &mut self,
        node: Arc<dyn RowNode>,
        inputs: &[ValueId],
        map: Affine,
    ) -> Result<ValueId> {
        let shapes = inputs.iter().map(|value| self.shape(*value)).collect::<Result<Vec<_>>>()?;
        if shapes.len() != node.inputs() {
            let (wanted, got) = (node.inputs(), shapes.len());
            return Err(Error::shape(format!("`{}` wants {wanted} inputs, got {got}", node.name())));
        }
        let shape = node.output(&shapes);
        Ok(self.push(OpKind::Rows(node), inputs, vec![Meta::Image { shape, map }])[0])
    }

    /// Observes an image, then maps it with what `finish` makes of the observation. Returns the
    /// mapped image, of type and size `output`, and the measures.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when the input is no image.
    pub fn reduce(
        &mut self,
        input: ValueId,
        reduction: Arc<dyn Reduction>,
        finish: Arc<dyn Finish>,
        output: Shape,
    ) -> Result<(ValueId, ValueId)> {
        self.shape(input)?;
        let metas = vec![Meta::Image { shape: output, map: self.map(input) }, Meta::Data(DataType::Measures)];
        let values = self.push(OpKind::Reduce { reduction, finish }, &[input], metas);
        Ok((values[0], values[1]))
    }

    /// Adds a step on whole values with outputs as declared.
    pub fn whole(&mut self, step: Arc<dyn Whole>, inputs: &[ValueId], outputs: Vec<Meta>) -> Vec<ValueId> {
        self.push(OpKind::Whole(step), inputs, outputs)
    }

    fn push(&mut self, kind: OpKind, inputs: &[ValueId], metas: Vec<Meta>) -> Vec<ValueId> {
        let first = self.metas.len();
        let outputs: Vec<ValueId> = (first..first + metas.len()).map(ValueId).collect();
        self.producers.extend(metas.iter().map(|_| self.ops.len()));
        self.metas.extend(metas);
        self.ops.push(Op { kind, inputs: inputs.to_vec(), outputs: outputs.clone(), stage: self.stage });
        outputs
    }

    /// Whether an input of an operation must be whole before the operation starts, because its
    /// border reads the opposite edge.
    pub(crate) fn wants_whole(op: &Op, port: usize) -> bool {
        match &op.kind {
            OpKind::Rows(node) => node.window(port).border.mode == BorderMode::Wrap,
            _ => false,
        }
    }
}
