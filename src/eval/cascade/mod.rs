//! Training of cascades from files: objects and pictures in, a run directory out.

mod chart;
mod objects;
mod pictures;
mod report;
mod run;
mod rundir;
mod vec_file;

pub use objects::{ObjectOptions, read_objects};
pub use pictures::Photos;
pub use run::{CascadeOutcome, HeldOut, TrainCascade, train_cascade};
