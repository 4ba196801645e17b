//! Nets with several outputs, such as detectors, over pictures of any size.

use super::arch::Arch;
use super::sliding::filled;
use super::{Inference, Net, Param, Shape, Tensor};
use crate::Result;

/// A net and those of its layers whose values are wanted.
#[derive(Debug)]
pub(crate) struct Heads {
    arch: Arch,
    params: Vec<Param>,
    names: Vec<String>,
}

impl Heads {
    /// Takes the layers with these names as the outputs of a net.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) when there is no such layer.
    pub(crate) fn new(net: &Net, names: &[String]) -> Result<Self> {
        let arch = net.arch().with_classes(&net.arch().classes)?;
        arch.joined(names)?;
        let params = net.params().chain(net.buffers()).cloned().collect();
        Ok(Self { arch, params, names: names.to_vec() })
    }

    /// The net for pictures of a height and width.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) when its layers do not take that size.
    pub(crate) fn over(&self, [height, width]: [usize; 2]) -> Result<HeadsOver> {
        let arch = self.arch.with_input(&[self.arch.input[0], height, width])?;
        let (joined, shapes) = arch.joined(&self.names)?;
        Ok(HeadsOver { inference: Inference::new(filled(joined, &self.params)?)?, shapes })
    }
}

/// A net with several outputs, ready for pictures of one size.
#[derive(Debug)]
pub(crate) struct HeadsOver {
    inference: Inference,
    shapes: Vec<Shape>,
}

impl HeadsOver {
    /// What the outputs are for one picture: the shape and the values of each.
    ///
    /// # Shapes
    /// `[1, channels, height, width]`.
    ///
    /// # Errors
    /// As [`Inference::forward_until`].
    pub(crate) fn run(&self, x: &Tensor, cancelled: &dyn Fn() -> bool) -> Result<Vec<(Shape, Vec<f32>)>> {
        let y = self.inference.forward_until(x, cancelled)?;
        let mut rest = y.data();
        let mut outputs = Vec::with_capacity(self.shapes.len());
        for &shape in &self.shapes {
            let (values, after) = rest.split_at(shape.count());
            outputs.push((shape, values.to_vec()));
            rest = after;
        }
        Ok(outputs)
    }

    /// The shape of one sample of each output.
    pub(crate) fn shapes(&self) -> &[Shape] {
        &self.shapes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Source;
    use crate::nn::arch;

    #[test]
    fn outputs_come_apart_as_the_layers_give_them_at_any_size() {
        let text = "version = 1\nname = \"t\"\ninput = [2, 8, 8]\n\
            [[block]]\nname = \"head\"\nparameters = [\"out\"]\n\
            [[block.layer]]\nuse = \"conv2d\"\nname = \"conv\"\nout = \"$out\"\nkernel = 1\n\
            [[block.layer]]\nuse = \"sigmoid\"\n\
            [[layer]]\nuse = \"conv2d\"\nname = \"stem\"\nout = 3\nkernel = 3\npadding = 1\n\
            [[layer]]\nuse = \"head\"\nname = \"cls\"\nout = 1\n\
            [[layer]]\nuse = \"reshape\"\nname = \"bbox\"\nin = \"stem\"\nshape = [-1, 3]\n";
        let net = Net::build(arch::parse(&Source::new("t", text)).unwrap(), 5).unwrap();
        let names = ["bbox", "cls", "stem"].map(str::to_owned);
        let over = Heads::new(&net, &names).unwrap().over([4, 6]).unwrap();
        let wide = net.arch().with_input(&[2, 4, 6]).unwrap();
        let params: Vec<Param> = net.params().cloned().collect();
        let wide = filled(wide, &params).unwrap();
        let x = Tensor::from_fn(Shape::new(&[1, 2, 4, 6]).unwrap(), |i| (i % 5) as f32 - 2.0);
        let outputs = over.run(&x, &|| false).unwrap();
        let wanted = wide.outputs(&x).unwrap();
        for ((shape, values), layer) in outputs.iter().zip([3, 2, 0]) {
            assert_eq!(*shape, wanted[layer].shape().sample());
            for (got, wanted) in values.iter().zip(wanted[layer].data()) {
                assert!((got - wanted).abs() < 1e-5, "{got} {wanted}");
            }
        }
        assert_eq!(over.shapes().len(), 3);
        let error = Heads::new(&net, &["bbix".to_owned()]).unwrap_err();
        assert_eq!(error.hint(), Some("did you mean `bbox`?"));
    }
}
