//! The plan of a cell, made from the graph of a step: when each value is computed, which nodes run
//! together, what is stored for the backward pass, and where each value is stored.
//!
//! [`plan`] lists the stages. It first adds the backward equations. In debug builds [`verify`]
//! checks the result of each stage.

mod backward;
mod cleanup;
pub mod cost;
mod in_place;
mod initial;
mod owners;
pub mod past;
mod places;
mod planned;
mod recurrence;
mod residuals;
pub mod schedule;
mod step_graph;
mod tasks;
pub mod verify;

#[cfg(test)]
mod tests;

use crate::analysis::past::Past;
use crate::analysis::resolve::Resolved;
use crate::analysis::shapes::Shapes;
use crate::lower::Lowered;
use crate::lower::names::ValueNames;
use crate::syntax::ast::Cell;
use recurrence::recurrence;
use schedule::schedule;

pub use planned::{Bound, InitialPlan, Lifetime, Pass, Place, Plan};

/// Plans a cell that has no errors.
///
/// # Errors
/// Returns the broken invariant and the stage that broke it, which is a bug of the compiler.
pub fn plan(
    cell: &Cell,
    resolved: &Resolved,
    shapes: &Shapes,
    past: &Past,
    lowered: Lowered,
) -> Result<Plan, String> {
    let Lowered { graph, targets, outputs, recorded, initial_graph, initial } = lowered;

    let mut step = owners::assign(cell, resolved, past, graph, &targets, &outputs, &recorded)
        .ok_or_else(|| "owners: a state or an output has no value".to_owned())?;
    check("owners", || verify::graph(&step.graph))?;

    backward::derive(&mut step, cell, shapes, past);
    check("backward equations", || verify::graph(&step.graph))?;

    cleanup::clean(&mut step, cell, shapes);
    check("cleanup", || verify::graph(&step.graph))?;

    let recurrence = recurrence(&step);
    let forward = schedule(&step.graph, &tasks::forward(&step, &recurrence));
    check("forward schedule", || verify::schedule(&step.graph, &forward, &[]))?;
    let streaming = schedule(&step.graph, &tasks::streaming(&step, &recurrence));
    check("schedule of a step", || verify::schedule(&step.graph, &streaming, &[]))?;

    let residuals = residuals::choose(&step);
    let backward = schedule(&step.graph, &tasks::backward(&step, &recurrence, &residuals));
    check("backward schedule", || verify::schedule(&step.graph, &backward, &residuals))?;

    let initial = (!initial.is_empty()).then(|| initial::plan(cell, shapes, past, initial_graph, initial));
    let plan = Plan {
        names: ValueNames::new(cell, shapes, past, &step.graph),
        forward: places::forward(&step, forward, &residuals),
        streaming: places::streaming(&step, streaming),
        backward: places::backward(&step, backward),
        graph: step.graph,
        states: step.states,
        outputs: step.outputs,
        output_shapes: step.output_shapes,
        gradients: step.bars.gradients,
        context_bars: step.bars.contexts,
        input_bars: step.bars.inputs,
        carries: step.carries,
        delay_states: recurrence.delay_states,
        recorded: step.recorded,
        pushes: step.pushes,
        #[cfg(test)]
        residuals,
        initial,
    };
    check("places", || verify::verify(&plan))?;
    Ok(plan)
}

/// Checks invariants in debug builds.
fn check(stage: &str, verify: impl Fn() -> Result<(), String>) -> Result<(), String> {
    if cfg!(debug_assertions) { verify().map_err(|broken| format!("{stage}: {broken}")) } else { Ok(()) }
}
