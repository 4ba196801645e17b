//! Pipelines that feed the example of any stage.

use lyncean::document::Source;
use lyncean::ops::row::Shape;
use lyncean::pipeline::{Loader, Pipeline, RunOptions};
use lyncean::stage::{Kind, Port, types};

/// A pipeline that feeds a stage's example with inputs of the right types.
///
/// The first port gets the picture, or what some other stage makes of it; further ports of images
/// the same again.
pub(crate) fn pipeline_for(kind: &Kind) -> Option<Pipeline> {
    FEEDERS.iter().find_map(|feeder| {
        let inputs = match kind.inputs {
            [_] => String::new(),
            ports => {
                let last = if feeder.is_empty() { "input" } else { "feed" };
                let objects = |port: &Port| port.accepts.iter().all(|ty| *ty == types::OBJECTS);
                let name = |port: &Port| {
                    if objects(port) { "\"found\"".to_owned() } else { format!("\"{last}\"") }
                };
                let names: Vec<String> = ports.iter().map(name).collect();
                format!("in = [{}]\n", names.join(", "))
            }
        };
        let text =
            format!("version = 1\n{feeder}\n[[stage]]\n{}\nname = \"subject\"\n{inputs}", kind.example);
        let pipeline = Loader::new().parse(Source::new(kind.name, text)).ok()?;
        let shape = Shape::new(pipeline.accepted()[0], 67, 59);
        pipeline.plan(shape, &RunOptions::default()).is_ok().then_some(pipeline)
    })
}

const FEEDERS: [&str; 7] = [
    "",
    "[[stage]]\nuse = \"gray\"\nname = \"feed\"\n",
    "[[stage]]\nuse = \"gray\"\n[[stage]]\nuse = \"threshold\"\nmethod = \"otsu\"\nname = \"feed\"\n",
    "[[stage]]\nuse = \"gray\"\n[[stage]]\nuse = \"threshold\"\nmethod = \"otsu\"\n[[stage]]\nuse = \"label\"\nname = \"feed\"\n",
    "[[stage]]\nuse = \"gray\"\n[[stage]]\nuse = \"resize\"\nwidth = 28\nheight = 28\nname = \"feed\"\n",
    "[[stage]]\nuse = \"gray\"\n[[stage]]\nuse = \"resize\"\nwidth = 28\nheight = 28\n[[stage]]\nuse = \"hog\"\npixels-per-cell = 4\ncells-per-block = 2\nname = \"feed\"\n",
    "[[stage]]\nuse = \"gray\"\nname = \"feed\"\n[[stage]]\nuse = \"threshold\"\nmethod = \"otsu\"\n[[stage]]\nuse = \"label\"\nname = \"found\"\n",
];
