//! What pipeline files and net files share: TOML with spans, diagnostics with carets, hints for
//! misspelt names, checks against a schema, and resources. It knows nothing of stages or layers.

mod diagnostic;
mod file;
mod resource;
mod schema;
mod source;
mod suggest;
mod value;

pub use diagnostic::{Code, Diagnostic, Diagnostics};
pub(crate) use file::read;
pub use resource::{Resource, ResourceBytes, Resources};
pub use schema::check;
pub use source::Source;
pub use suggest::{closest, did_you_mean};
pub use value::{Entry, Node, OUTSIDE, Span, Table, parse};
