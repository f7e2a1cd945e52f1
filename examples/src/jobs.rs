//! Independent training runs in parallel, on all cores.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// The stack size of the threads. In an unoptimised build a network is on the stack several times.
const STACK: usize = 16 << 20;

/// Independent training runs, to be executed on all cores.
pub struct Jobs<'a, R>(Vec<Box<dyn FnOnce() -> R + Send + 'a>>);

impl<R> Default for Jobs<'_, R> {
    fn default() -> Self {
        Jobs(Vec::new())
    }
}

impl<'a, R: Send> Jobs<'a, R> {
    /// Creates an empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a training run. Its random numbers must come from its own seed, so that the result does
    /// not depend on the number of threads.
    pub fn add(&mut self, job: impl FnOnce() -> R + Send + 'a) {
        self.0.push(Box::new(job));
    }

    /// Executes the training runs in the order in which they were added, as many at a time as there
    /// are cores. Returns their results in the same order.
    ///
    /// # Panics
    /// If a job panics, or a thread can't be started.
    pub fn run(self) -> Vec<R> {
        let jobs: Vec<_> = self.0.into_iter().map(|job| Mutex::new((Some(job), None))).collect();
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some(slot) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                let job = slot.lock().unwrap_or_else(PoisonError::into_inner).0.take();
                let result = job.map(|job| job());
                slot.lock().unwrap_or_else(PoisonError::into_inner).1 = result;
            }
        };
        thread::scope(|scope| {
            for _ in 0..thread::available_parallelism().map_or(1, |cores| cores.get()) {
                let thread = thread::Builder::new().stack_size(STACK);
                thread.spawn_scoped(scope, work).expect("a thread of the operating system");
            }
        });
        let result =
            |slot: Mutex<(_, Option<R>)>| slot.into_inner().unwrap_or_else(PoisonError::into_inner).1;
        jobs.into_iter().map(|slot| result(slot).expect("every job has been run")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Jobs;
    use std::time::Duration;

    #[test]
    fn results_are_in_the_order_of_the_jobs() {
        let mut jobs = Jobs::new();
        for number in 0..20_u64 {
            // The first jobs end last.
            jobs.add(move || {
                std::thread::sleep(Duration::from_millis(20 - number));
                number
            });
        }
        assert_eq!(jobs.run(), (0..20).collect::<Vec<_>>());
        assert!(Jobs::<u64>::new().run().is_empty());
    }
}
