//! A net: layers with weights, connected; forward alone, or forward and backward over a tape.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::arch::{Arch, Source};
use super::layer::{Layer, Mode, Saved};
use super::{Grads, Param, Rng, Tensor};
use crate::{Error, Result};

/// An architecture with weights.
///
/// Inference takes `&self`, so threads can share a net.
///
/// ```
/// use lyncean::nn::{Net, Shape, Tensor};
///
/// let weights = lyncean::builtin::RESOURCES.iter().find(|(name, _)| *name == "lenet5").unwrap().1;
/// let net = Net::from_safetensors(weights)?;
/// let batch = Tensor::zeros(Shape::new(&[2, 1, 28, 28])?);
/// assert_eq!(net.forward(&batch)?.shape(), Shape::new(&[2, 10])?);
/// # Ok::<(), lyncean::Error>(())
/// ```
#[derive(Debug)]
pub struct Net {
    arch: Arch,
    nodes: Vec<Node>,
    frozen: Arc<BTreeSet<String>>,
}

#[derive(Debug)]
struct Node {
    layer: Box<dyn Layer>,
    /// Whether a parameter that learns comes before or in this layer, so that its gradient is wanted.
    learns: bool,
    /// Whether it has parameters, all of them frozen.
    frozen: bool,
    /// Whether the output of the net depends on it, or only heads do.
    needed: bool,
    /// The last layer that reads the output of this one.
    last_use: usize,
}

/// What a forward pass in training leaves for [`Net::backward`].
#[derive(Debug)]
pub struct Tape {
    saved: Vec<Saved>,
    heads: Vec<Tensor>,
    seen: Option<Tensor>,
}

impl Tape {
    /// The output of each head, in the order of [`Arch::heads`].
    pub fn heads(&self) -> &[Tensor] {
        &self.heads
    }
}

impl Net {
    /// The net of an architecture, with first weights from a seed.
    ///
    /// # Errors
    /// What the layers report.
    pub fn build(arch: Arch, seed: u64) -> Result<Self> {
        Self::with_weights_from(arch, Rng::new(seed).stream("init"))
    }

    /// The net of an architecture, for weights to be [loaded](Self::load_weights): all are 0.
    ///
    /// # Errors
    /// What the layers report.
    pub fn blank(arch: Arch) -> Result<Self> {
        Self::with_weights_from(arch, Rng::blank())
    }

    fn with_weights_from(arch: Arch, rng: Rng) -> Result<Self> {
        let mut nodes: Vec<Node> = Vec::with_capacity(arch.layers.len());
        let needed = arch.needed();
        for (index, layer) in arch.layers.iter().enumerate() {
            let built = layer.spec.build(&layer.name, &arch.inputs(layer), rng.stream(&layer.name));
            let built = built.map_err(|error| error.within(&layer.name))?;
            for &source in &layer.inputs {
                if let Source::Layer(from) = source {
                    nodes[from].last_use = index;
                }
            }
            let needed = needed[index];
            nodes.push(Node { layer: built, learns: false, frozen: false, needed, last_use: usize::MAX });
        }
        let mut net = Self { arch, nodes, frozen: Arc::default() };
        net.find_learners();
        Ok(net)
    }

    /// Says of every node whether it learns, or one before it does.
    fn find_learners(&mut self) {
        for index in 0..self.nodes.len() {
            let params = self.nodes[index].layer.params();
            let is_frozen = |param: &&Param| self.frozen.contains(&param.name);
            let (any, frozen) = (!params.is_empty(), params.iter().all(is_frozen));
            let before = |source: &Source| matches!(source, Source::Layer(from) if self.nodes[*from].learns);
            let learns = !frozen || self.arch.layers[index].inputs.iter().any(before);
            self.nodes[index].learns = learns;
            self.nodes[index].frozen = any && frozen;
        }
    }

    /// Freezes the parameters whose names a pattern matches, where `*` stands for any letters, as in
    /// `conv1.*`, and gives their names. Frozen parameters keep their bits: they get no gradient, and
    /// back-propagation ends where nothing below learns. A batch norm all of whose parameters are
    /// frozen keeps its statistics too, and works with them in training.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) when a pattern matches no parameter.
    pub fn freeze(&mut self, patterns: &[String]) -> Result<Vec<String>> {
        let names: Vec<String> = self.params().map(|param| param.name.clone()).collect();
        let mut frozen = BTreeSet::clone(&self.frozen);
        for pattern in patterns {
            let found: Vec<&String> = names.iter().filter(|name| matches(pattern, name)).collect();
            if found.is_empty() {
                let error = Error::pipeline(format!("no parameter is called `{pattern}`"));
                let hint = crate::document::did_you_mean(pattern, names.iter().map(String::as_str));
                let hint = hint.unwrap_or_else(|| "`*` stands for any letters, as in `conv1.*`".to_owned());
                return Err(error.with_hint(hint));
            }
            frozen.extend(found.into_iter().cloned());
        }
        self.frozen = Arc::new(frozen);
        self.find_learners();
        Ok(names.into_iter().filter(|name| self.frozen.contains(name)).collect())
    }

    /// The architecture and the layers with their weights, in its order.
    pub(crate) fn into_layers(self) -> (Arch, Vec<Box<dyn Layer>>) {
        (self.arch, self.nodes.into_iter().map(|node| node.layer).collect())
    }

    /// The architecture.
    pub fn arch(&self) -> &Arch {
        &self.arch
    }

    /// The parameters, layer after layer.
    pub fn params(&self) -> impl Iterator<Item = &Param> {
        self.nodes.iter().flat_map(|node| node.layer.params())
    }

    /// The parameters to change, in the same order.
    pub fn params_mut(&mut self) -> impl Iterator<Item = &mut Param> {
        self.nodes.iter_mut().flat_map(|node| node.layer.params_mut())
    }

    /// What is stored beside the parameters and no gradient changes, layer after layer: the
    /// statistics of batch norms.
    pub fn buffers(&self) -> impl Iterator<Item = &Param> {
        self.nodes.iter().flat_map(|node| node.layer.buffers())
    }

    /// The buffers to change, in the same order.
    pub fn buffers_mut(&mut self) -> impl Iterator<Item = &mut Param> {
        self.nodes.iter_mut().flat_map(|node| node.layer.buffers_mut())
    }

    /// Moves the buffers by what a forward pass in training has seen.
    pub fn commit(&mut self, tape: &Tape) {
        for (node, saved) in self.nodes.iter_mut().zip(&tape.saved) {
            if !node.frozen {
                node.layer.commit(saved);
            }
        }
    }

    /// The output for a batch, in inference.
    ///
    /// # Shapes
    /// `[n, ...input]` to `[n, ...output]`.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when the input is not a batch of what the net takes.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(self.pass(x, &Mode::inference(), None, &|| false)?.0)
    }

    /// As [`forward`](Self::forward), given up between two layers once `cancelled` says so.
    ///
    /// # Errors
    /// As [`forward`](Self::forward), and [`Cancelled`](crate::ErrorKind::Cancelled).
    pub fn forward_until(&self, x: &Tensor, cancelled: &dyn Fn() -> bool) -> Result<Tensor> {
        Ok(self.pass(x, &Mode::inference(), None, cancelled)?.0)
    }

    /// What a layer gives for a batch, in inference.
    ///
    /// # Errors
    /// As [`forward`](Self::forward), and [`Pipeline`](crate::ErrorKind::Pipeline) when no layer that the output
    /// depends on has the name.
    pub fn activations(&self, x: &Tensor, layer: &str) -> Result<Tensor> {
        let at = self.arch.find_needed(layer)?;
        let (_, tape) = self.pass(x, &Mode::inference(), Some(at), &|| false)?;
        tape.seen.ok_or_else(|| Error::pipeline(format!("`{layer}` is not computed in inference")))
    }

    /// What a layer gives for a batch in inference, and the gradient of the output there: how the sum of output
    /// times `dy` changes with each of its values.
    ///
    /// # Errors
    /// As [`activations`](Self::activations), and when no parameter that learns lies at or below the layer, so that
    /// back-propagation never comes there.
    pub fn sensitivity(
        &self,
        x: &Tensor,
        layer: &str,
        dy: impl FnOnce(&Tensor) -> Result<Tensor>,
    ) -> Result<(Tensor, Tensor)> {
        let at = self.arch.find_needed(layer)?;
        let mode = Mode { keep: true, ..Mode::inference() };
        let (y, mut tape) = self.pass(x, &mode, Some(at), &|| false)?;
        let gone = || Error::pipeline(format!("no gradient comes to `{layer}`"));
        let seen = tape.seen.take().ok_or_else(gone)?;
        let (_, gradient) = self.back(&tape, dy(&y)?, Vec::new(), Some(at))?;
        Ok((seen, gradient.ok_or_else(gone)?))
    }

    /// The output of every layer for a batch, in inference, in the order of [`Arch::layers`]; layers that only heads
    /// need are computed, too.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    ///
    /// ```
    /// use lyncean::nn::{Net, Shape, Tensor, arch};
    ///
    /// let net = Net::build(arch::parse(&arch::builtin("lenet5").unwrap())?, 1)?;
    /// let outputs = net.outputs(&Tensor::zeros(Shape::new(&[1, 1, 28, 28])?))?;
    /// assert_eq!(outputs[0].shape(), Shape::new(&[1, 6, 28, 28])?);
    /// assert_eq!(outputs.len(), net.arch().layers.len());
    /// # Ok::<(), lyncean::Error>(())
    /// ```
    pub fn outputs(&self, x: &Tensor) -> Result<Vec<Tensor>> {
        self.outputs_in(x, &Mode::inference())
    }

    /// [`outputs`](Self::outputs) in some mode.
    pub(super) fn outputs_in(&self, x: &Tensor, mode: &Mode) -> Result<Vec<Tensor>> {
        self.check_input(x)?;
        let mut outputs: Vec<Tensor> = Vec::with_capacity(self.nodes.len());
        for (node, spec) in self.nodes.iter().zip(&self.arch.layers) {
            let read = |source: &Source| match source {
                Source::Input => x,
                Source::Layer(from) => &outputs[*from],
            };
            let inputs: Vec<&Tensor> = spec.inputs.iter().map(read).collect();
            let mode = Mode { frozen: node.frozen, ..*mode };
            let (y, _) = node.layer.forward(&inputs, &mode).map_err(|error| error.within(&spec.name))?;
            outputs.push(y);
        }
        Ok(outputs)
    }

    /// The output for a batch, in training, and the tape for [`backward`](Self::backward).
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn record(&self, x: &Tensor, mode: &Mode) -> Result<(Tensor, Tape)> {
        self.pass(x, mode, None, &|| false)
    }

    /// The gradients of all parameters, from the gradient of the output.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when `dy` is not of the output's shape.
    pub fn backward(&self, tape: &Tape, dy: Tensor) -> Result<Grads> {
        self.backward_heads(tape, dy, Vec::new())
    }

    /// As [`backward`](Self::backward), with the gradient of each head's own loss for its output beside, in the
    /// order of [`Arch::heads`], whose weights they are multiplied with here. Heads without one have none.
    ///
    /// # Errors
    /// As [`backward`](Self::backward).
    pub fn backward_heads(&self, tape: &Tape, dy: Tensor, heads: Vec<Tensor>) -> Result<Grads> {
        Ok(self.back(tape, dy, heads, None)?.0)
    }

    /// The gradients of all parameters; or those above a layer, and that of its output.
    fn back(
        &self,
        tape: &Tape,
        dy: Tensor,
        heads: Vec<Tensor>,
        stop: Option<usize>,
    ) -> Result<(Grads, Option<Tensor>)> {
        let mut grads = Grads::without(Arc::clone(&self.frozen));
        let mut pending: Vec<Option<Tensor>> = vec![None; self.nodes.len()];
        if let Some(last) = pending.last_mut() {
            *last = Some(dy);
        }
        for (head, mut dy) in self.arch.heads.iter().zip(heads) {
            dy.data_mut().iter_mut().for_each(|dy| *dy *= head.weight);
            match &mut pending[head.layer] {
                Some(sum) => sum.add(&dy)?,
                empty => *empty = Some(dy),
            }
        }
        for (index, (node, spec)) in self.nodes.iter().zip(&self.arch.layers).enumerate().rev() {
            if stop == Some(index) {
                return Ok((grads, pending[index].take()));
            }
            let Some(dy) = pending[index].take() else { continue };
            if !node.learns {
                continue;
            }
            let wanted = |source: &Source| matches!(source, Source::Layer(from) if self.nodes[*from].learns);
            let need_dx = spec.inputs.iter().any(wanted);
            let named = |error: Error| error.within(&spec.name);
            let dx = node.layer.backward(&tape.saved[index], &dy, &mut grads, need_dx).map_err(named)?;
            for (source, dx) in spec.inputs.iter().zip(dx) {
                if let &Source::Layer(from) = source {
                    match &mut pending[from] {
                        Some(sum) => sum.add(&dx).map_err(named)?,
                        empty => *empty = Some(dx),
                    }
                }
            }
        }
        Ok((grads, None))
    }

    fn check_input(&self, x: &Tensor) -> Result<()> {
        let (name, wanted) = (&self.arch.name, self.arch.input);
        if x.shape().is_empty() || x.shape().sample() != wanted {
            let got = x.shape();
            return Err(Error::shape(format!(
                "net `{name}` wants a batch `[n, ...]` of {wanted}, got {got}"
            )));
        }
        Ok(())
    }

    /// With the output of layer `watch` beside.
    fn pass(
        &self,
        x: &Tensor,
        mode: &Mode,
        watch: Option<usize>,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<(Tensor, Tape)> {
        self.check_input(x)?;
        let mut outputs: Vec<Option<Tensor>> = Vec::with_capacity(self.nodes.len());
        let mut saved = Vec::with_capacity(self.nodes.len());
        let mut heads = Vec::new();
        let mut seen = None;
        let records = mode.training.is_some() || mode.keep;
        for (index, (node, spec)) in self.nodes.iter().zip(&self.arch.layers).enumerate() {
            let read = |source: &Source| match source {
                Source::Input => Some(x),
                Source::Layer(from) => outputs[*from].as_ref(),
            };
            if cancelled() {
                return Err(Error::cancelled());
            }
            if !node.needed && mode.training.is_none() {
                outputs.push(None);
                saved.push(Saved::default());
                continue;
            }
            let inputs: Vec<&Tensor> = spec.inputs.iter().filter_map(read).collect();
            let mode = Mode { frozen: node.frozen, keep: mode.keep && node.learns, ..*mode };
            let (y, kept) = node.layer.forward(&inputs, &mode).map_err(|error| error.within(&spec.name))?;
            for source in &spec.inputs {
                if let &Source::Layer(from) = source
                    && self.nodes[from].last_use == index
                {
                    outputs[from] = None;
                }
            }
            heads.extend(self.arch.heads.iter().filter(|head| head.layer == index).map(|_| y.clone()));
            if watch == Some(index) {
                seen = Some(y.clone());
            }
            outputs.push(Some(y));
            if records {
                saved.push(kept);
            }
        }
        let output = outputs.pop().flatten().unwrap_or_else(|| x.clone());
        Ok((output, Tape { saved, heads, seen }))
    }
}

/// Whether a name fits a pattern, where `*` stands for any letters.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{Shape, arch};

    const FORK: &str = "version = 1\nname = \"fork\"\ninput = [1, 4, 4]\n\
        [[layer]]\nuse = \"conv2d\"\nname = \"a\"\nout = 2\nkernel = 3\n\
        [[layer]]\nuse = \"tanh\"\n\
        [[layer]]\nuse = \"sigmoid\"\nin = \"a\"\n\
        [[layer]]\nuse = \"flatten\"\nin = \"tanh\"\n";

    fn fork() -> Arch {
        arch::parse(&crate::document::Source::new("fork", FORK)).unwrap()
    }

    #[test]
    fn a_net_runs_and_branches_without_a_reader_get_no_gradient() {
        let net = Net::build(fork(), 3).unwrap();
        let x = Tensor::from_fn(Shape::new(&[2, 1, 4, 4]).unwrap(), |i| (i % 7) as f32 * 0.1);
        let (y, tape) = net.record(&x, &Mode::training(Rng::new(0))).unwrap();
        assert_eq!(y, net.forward(&x).unwrap());
        assert_eq!(&*y.shape(), [2, 8]);
        let grads = net.backward(&tape, y).unwrap();
        assert_eq!(grads.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["a.bias", "a.weight"]);
    }

    #[test]
    fn frozen_parameters_have_no_gradient_and_what_is_below_is_not_asked() {
        let text = FORK.replace(
            "use = \"flatten\"\nin = \"tanh\"\n",
            "use = \"flatten\"\nin = \"tanh\"\n[[layer]]\nuse = \"linear\"\nname = \"b\"\nout = 2\n",
        );
        let arch = || arch::parse(&crate::document::Source::new("fork", &*text)).unwrap();
        let x = Tensor::from_fn(Shape::new(&[2, 1, 4, 4]).unwrap(), |i| (i % 7) as f32 * 0.1);
        for (pattern, left, learn) in
            [("a.*", vec!["b.bias", "b.weight"], false), ("*.weight", vec!["a.bias", "b.bias"], true)]
        {
            let mut net = Net::build(arch(), 3).unwrap();
            net.freeze(&[pattern.to_owned()]).unwrap();
            let (y, tape) = net.record(&x, &Mode::training(Rng::new(0))).unwrap();
            let grads = net.backward(&tape, y).unwrap();
            assert_eq!(grads.iter().map(|(name, _)| name).collect::<Vec<_>>(), left);
            // The convolution and what follows it up to the linear layer.
            assert!(net.nodes[..4].iter().all(|node| node.learns == learn));
            assert!(net.nodes[4].learns && net.nodes[0].frozen != learn);
        }
    }

    #[test]
    fn patterns_match_whole_names() {
        let yes =
            [("conv1.*", "conv1.weight"), ("*", "a"), ("*.bias", "a.bias"), ("a*b*c", "a.b.b.c"), ("a", "a")];
        let no = [("conv1.*", "xconv1.weight"), ("a", "ab"), ("a*b", "a"), ("ab*b", "ab"), ("*b*c", "a.c.b")];
        assert!(yes.iter().all(|(pattern, name)| matches(pattern, name)));
        assert!(no.iter().all(|(pattern, name)| !matches(pattern, name)));
    }

    #[test]
    fn inputs_of_another_shape_are_refused_by_name() {
        let net = Net::build(fork(), 3).unwrap();
        let error = net.forward(&Tensor::zeros(Shape::new(&[1, 4, 4]).unwrap())).unwrap_err();
        assert_eq!(error.to_string(), "net `fork` wants a batch `[n, ...]` of [1, 4, 4], got [1, 4, 4]");
        let error = net.forward(&Tensor::zeros(Shape::new(&[2, 1, 5, 4]).unwrap())).unwrap_err();
        assert_eq!(error.to_string(), "net `fork` wants a batch `[n, ...]` of [1, 4, 4], got [2, 1, 5, 4]");
    }
}
