//! The syntax tree and its parser.

pub mod ast;
mod compare;
mod cursor;
mod declarations;
mod delays;
mod dims;
mod equations;
mod expr;
mod foreign;
mod functions;
mod habits;
mod heads;
mod items;
mod literals;
mod operands;
mod outputs;
pub mod parse;
mod recover;
mod shapes;
pub mod suggest;
pub mod text;
mod words;

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
