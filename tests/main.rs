//! All integration tests, in one binary.

mod architecture;
mod codec;
mod kernel_twins;
mod regions_opencv;
mod stage_contracts;
mod support;
mod template_properties;
