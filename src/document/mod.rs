//! What pipeline files and net files share: TOML with spans, diagnostics with carets, hints for
//! misspelt names, checks against a schema, and resources. It knows nothing of stages or layers.
//!
//! ```
//! use lyncean::document::{Code, Diagnostic, Diagnostics, Entry, Node, Source, Table, closest, did_you_mean, parse};
//!
//! let source = Source::new("blur.toml", "size = 5\nsigmaa = 1.5\n");
//! let table: Table = parse(source.text()).unwrap();
//! let size: &Node = table.get("size").unwrap();
//! assert!(matches!(size.value, Entry::Integer(5)));
//!
//! let (name, span, _) = table.iter().nth(1).unwrap();
//! let known = ["size", "sigma"];
//! assert_eq!(closest(name, known), Some("sigma"));
//! let mut problems = Diagnostics::new(source.clone());
//! let problem = Diagnostic::new(Code::UnknownKey, span.clone(), format!("there is no `{name}`"));
//! problems.push(problem.with_hint(did_you_mean(name, known)));
//! let shown = problems.render();
//! assert!(shown.contains("blur.toml:2:1") && shown.contains("did you mean `sigma`?"), "{shown}");
//! assert!(problems.into_error().is_some());
//! ```

mod diagnostic;
mod file;
mod resource;
mod schema;
mod source;
mod suggest;
mod value;
mod xml;

pub use diagnostic::{Code, Diagnostic, Diagnostics};
pub(crate) use file::read;
pub use resource::{Resource, ResourceBytes, Resources};
pub use schema::check;
pub use source::Source;
pub use suggest::{closest, did_you_mean};
pub use value::{Entry, Node, OUTSIDE, Span, Table, parse};
pub(crate) use xml::check_attributes;
