//! The command line, as its users meet it: the built program in a folder of its own.

mod boxes;
mod cascade;
mod commands;
mod folder;
mod hostile;
mod journal;
mod learn;
mod nets;
mod run;
mod stop;
