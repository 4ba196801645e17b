//! The small core, without threads and files: its conversions, and the definitions of what it computes once more.
#![allow(
    clippy::unwrap_used,
    clippy::naive_bytecount,
    clippy::items_after_statements,
    clippy::manual_assert,
    clippy::type_complexity,
    clippy::manual_let_else,
    clippy::needless_pass_by_value,
    clippy::redundant_closure_for_method_calls,
    clippy::cast_lossless,
    clippy::match_wild_err_arm,
    clippy::cloned_instead_of_copied,
    unreachable_pub,
    reason = "tests say what is wrong by panicking, and are read from top to bottom"
)]

mod conversions;
mod filter_twins;
mod gradients;
mod kernel_twins;
mod point_twins;
mod row_executor;
mod template_properties;
mod window_twins;

mod support {
    pub(crate) mod pictures;
    pub(crate) mod strategies;
}
