//! Losses: one number to make small, and its gradient for the net's output.

mod softmax_cross_entropy;

pub use softmax_cross_entropy::{CrossEntropy, softmax, softmax_cross_entropy};
