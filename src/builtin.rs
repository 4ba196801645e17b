//! What ships inside the binary: pipelines and resources.

/// The pipelines that `builtin:NAME` finds, with their texts.
pub const PIPELINES: &[(&str, &str)] = &[];

/// The resources that `builtin:NAME` finds: cascades, models, templates.
pub const RESOURCES: &[(&str, &[u8])] = &[];
