//! The architectures that the crate carries.

use crate::document::Source as Text;

/// Name and text of a file in `nets/`.
macro_rules! net {
    ($name:literal) => {
        ($name, include_str!(concat!("../../../nets/", $name, ".toml")))
    };
}

/// The architectures that the crate carries, as name and text, sorted by name.
pub static BUILTIN: &[(&str, &str)] = &[
    net!("alexnet"),
    net!("alexnet-grouped"),
    net!("autoencoder"),
    net!("autoencoder-conv"),
    net!("autoencoder-denoising"),
    net!("face"),
    net!("googlenet"),
    net!("googlenet-bn"),
    net!("hed"),
    net!("inception-v3"),
    net!("lenet5"),
    net!("lenet5-original"),
    net!("mlp"),
    net!("plain110"),
    net!("plain20"),
    net!("plain56"),
    net!("resnet101"),
    net!("resnet110"),
    net!("resnet14-gray"),
    net!("resnet152"),
    net!("resnet18"),
    net!("resnet18-cifar"),
    net!("resnet20"),
    net!("resnet34"),
    net!("resnet50"),
    net!("resnet56"),
    net!("textcnn-multichannel"),
    net!("textcnn-non-static"),
    net!("textcnn-rand"),
    net!("textcnn-static"),
    net!("unet-small"),
    net!("unet-tiny"),
    net!("vgg11"),
    net!("vgg11-bn"),
    net!("vgg13"),
    net!("vgg13-bn"),
    net!("vgg16"),
    net!("vgg16-bn"),
    net!("vgg19"),
    net!("vgg19-bn"),
];

/// Files of blocks that architectures include, as name and text.
pub(super) static INCLUDES: &[(&str, &str)] = &[("resnet", include_str!("../../../nets/blocks/resnet.toml"))];

/// The text of an architecture that the crate carries.
pub fn builtin(name: &str) -> Option<Text> {
    let found = BUILTIN.iter().find(|(builtin, _)| *builtin == name);
    found.map(|(name, text)| Text::new(format!("builtin:{name}"), *text))
}
