//! Stages from closures: over single pixels, which fuse with their neighbours, and over whole images.

use std::sync::Arc;

use super::{ImageValue, Lowering, Meta, Value, ValueId, Whole};
use crate::image::{Image, ImageType, Pixel};
use crate::kernel::Isa;
use crate::ops::Context;
use crate::ops::row::{RowNode, RowOut, Rows, Shape, State};
use crate::{Error, Result};

impl Lowering {
    /// Adds a map of single pixels that gives an image of type `ty`. It fuses with what stands before and
    /// after it.
    ///
    /// Pixels are `u8`, `u16`, `f32`, three of them for colours, or `u32` for labels.
    ///
    /// ```
    /// use lyncean::image::ImageType;
    /// use lyncean::stage::{Lowering, Output, PortType, Stage, ValueId};
    ///
    /// struct Darken;
    ///
    /// impl Stage for Darken {
    ///     fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
    ///         Ok(vec![("image", inputs[0])])
    ///     }
    ///
    ///     fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> lyncean::Result<Vec<ValueId>> {
    ///         let dark = graph.map_pixels("darken", inputs[0], ImageType::Gray8, |value: u8| value / 2)?;
    ///         Ok(vec![dark])
    ///     }
    /// }
    /// # use lyncean::stage::types;
    /// # assert!(Darken.outputs(&[types::GRAY8]).is_ok());
    /// ```
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when `T` is not the pixel of the input, or `U` not that of `ty`.
    pub fn map_pixels<T: Pixel, U: Pixel>(
        &mut self,
        name: &'static str,
        input: ValueId,
        ty: ImageType,
        map: impl Fn(T) -> U + Send + Sync + 'static,
    ) -> Result<ValueId> {
        fits::<T>(name, self.shape(input)?.ty)?;
        fits::<U>(name, ty)?;
        let map = move |pixels: &[T], out: &mut [U]| {
            out.iter_mut().zip(pixels).for_each(|(out, pixel)| *out = map(*pixel));
        };
        self.rows(Arc::new(PixelRows { name, ty, map, pixels: std::marker::PhantomData }), &[input])
    }

    /// Adds a step that makes an image of a type and size from a whole one; its pixels lie where the input's
    /// do.
    pub fn map_image(
        &mut self,
        name: &'static str,
        input: ValueId,
        output: Shape,
        map: impl Fn(&Image, &Context) -> Result<Image> + Send + Sync + 'static,
    ) -> ValueId {
        let meta = Meta::Image { shape: output, map: self.map(input) };
        self.whole(Arc::new(ImageStep { name, output, map }), &[input], vec![meta])[0]
    }
}

/// Refuses pixels that are not those of an image type.
fn fits<T: Pixel>(name: &str, ty: ImageType) -> Result<()> {
    if (T::ELEMENT, T::CHANNELS, 1) == (ty.element(), ty.channels(), ty.planes()) {
        return Ok(());
    }
    let pixel = std::any::type_name::<T>();
    Err(Error::shape(format!("`{name}` maps pixels of type `{pixel}`, those of `{ty}` are others")))
}

struct PixelRows<T, U, F> {
    name: &'static str,
    ty: ImageType,
    map: F,
    pixels: std::marker::PhantomData<fn(T) -> U>,
}

impl<T: Pixel, U: Pixel, F: Fn(&[T], &mut [U]) + Send + Sync + 'static> RowNode for PixelRows<T, U, F> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn output(&self, inputs: &[Shape]) -> Shape {
        Shape { ty: self.ty, ..inputs[0] }
    }

    fn is_map(&self) -> bool {
        true
    }

    fn row(&self, _isa: Isa, _state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        (self.map)(rows.get::<T>(0, 0, y as isize), out.row::<U>());
    }
}

struct ImageStep<F> {
    name: &'static str,
    output: Shape,
    map: F,
}

impl<F: Fn(&Image, &Context) -> Result<Image> + Send + Sync> Whole for ImageStep<F> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let [Value::Image(value)] = inputs else { return Err(Error::shape("expected an image")) };
        let image = (self.map)(&value.image, cx)?;
        if Shape::of(&image) != self.output {
            let (made, wanted) = (Shape::of(&image), self.output);
            return Err(Error::shape(format!("`{}` was to make {wanted:?}, and made {made:?}", self.name)));
        }
        outputs.push(Value::Image(ImageValue { image: cx.share(image), map: value.map }));
        Ok(())
    }
}
