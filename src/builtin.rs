//! What ships inside the binary: pipelines and resources. Pictures are in `image::builtin`.

/// A table of texts under their names.
macro_rules! texts {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../pipelines/", $name, ".toml")))),*]
    };
}

/// The pipelines that `builtin:NAME` finds, with their texts: all of `pipelines/`.
pub const PIPELINES: &[(&str, &str)] = texts![
    "blobs",
    "canny",
    "cells",
    "clothes",
    "coins",
    "convolution",
    "digit-features",
    "digit-oddity",
    "digit-saliency",
    "digits-hog",
    "digits-lenet",
    "digits-template",
    "document",
    "edges",
    "faces",
    "faces-cnn",
    "faces-verified",
    "faces-yunet",
    "find-coin",
    "find-turned",
    "segment-coins",
    "sobel-is-convolution",
];

/// The resources that `builtin:NAME` finds: cascades, models, templates. Each has its card or its
/// terms in `models/`.
pub const RESOURCES: &[(&str, &[u8])] = &[
    ("autoencoder-conv", include_bytes!("../models/autoencoder-conv.safetensors")),
    ("coin", include_bytes!("../models/coin.png")),
    ("coins-unet", include_bytes!("../models/coins-unet.safetensors")),
    ("digit-templates", include_bytes!("../models/digit-templates.png")),
    ("digits-hog", include_bytes!("../models/digits-hog.safetensors")),
    ("face", include_bytes!("../models/face.safetensors")),
    ("fashion-resnet14", include_bytes!("../models/fashion-resnet14.safetensors")),
    ("lenet5", include_bytes!("../models/lenet5.safetensors")),
    ("frontal-face", include_bytes!("../models/frontal-face.xml")),
    ("frontalface-alt2", include_bytes!("../models/frontalface-alt2.xml.gz")),
    ("frontalface-default", include_bytes!("../models/frontalface-default.xml.gz")),
    ("yunet", include_bytes!("../models/yunet.safetensors")),
];
