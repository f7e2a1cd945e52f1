//! Voice activity in WebAssembly: the network of the example `voice_activity`, one chunk of 32 ms
//! at a time.
//!
//! The page writes Silero's weights into the memory that [`weights`] returns and calls [`load`].
//! From then on it writes each chunk to [`chunk`] and calls [`step`].

// The page calls the functions by name.
#![allow(unsafe_code)]

#[path = "../../../examples/src/silero/mod.rs"]
#[allow(dead_code)]
mod silero;

use silero::{CHUNK, Hysteresis, Stream, Vad, segments};
use std::cell::RefCell;

/// The state of a page between calls.
struct Page {
    /// The file of the weights, until it has been loaded.
    weights: Vec<u8>,
    chunk: [f32; CHUNK],
    network: Option<(Vad, Stream)>,
    probabilities: Vec<f32>,
    /// The beginnings and the ends of the segments, in samples.
    segments: Vec<u32>,
    /// The reason why the weights were refused.
    message: String,
}

thread_local! {
    static PAGE: RefCell<Page> = const {
        RefCell::new(Page {
            weights: vec![],
            chunk: [0.0; CHUNK],
            network: None,
            probabilities: vec![],
            segments: vec![],
            message: String::new(),
        })
    };
}

/// Returns the place for a file of weights of a length in bytes.
#[unsafe(no_mangle)]
extern "C" fn weights(length: usize) -> *mut u8 {
    PAGE.with_borrow_mut(|page| {
        page.weights = vec![0; length];
        page.weights.as_mut_ptr()
    })
}

/// Loads the weights. Returns whether they fit the network; otherwise [`message`] says why not.
#[unsafe(no_mangle)]
extern "C" fn load() -> bool {
    PAGE.with_borrow_mut(|page| match Vad::load(&std::mem::take(&mut page.weights)) {
        Ok(network) => {
            let stream = network.stream();
            page.network = Some((network, stream));
            true
        }
        Err(cause) => {
            page.message = cause.to_string();
            false
        }
    })
}

/// Returns the place of the message of the last error.
#[unsafe(no_mangle)]
extern "C" fn message() -> *const u8 {
    PAGE.with_borrow(|page| page.message.as_ptr())
}

/// Returns the length of the message of the last error, in bytes.
#[unsafe(no_mangle)]
extern "C" fn message_length() -> usize {
    PAGE.with_borrow(|page| page.message.len())
}

/// Returns the place for the samples of a chunk.
#[unsafe(no_mangle)]
extern "C" fn chunk() -> *mut f32 {
    PAGE.with_borrow_mut(|page| page.chunk.as_mut_ptr())
}

/// Begins a new stream.
#[unsafe(no_mangle)]
extern "C" fn reset() {
    PAGE.with_borrow_mut(|page| {
        page.probabilities.clear();
        if let Some((network, stream)) = &mut page.network {
            *stream = network.stream();
        }
    });
}

/// Processes the chunk. Returns the probability that it contains speech, or NaN before the weights
/// are loaded.
#[unsafe(no_mangle)]
extern "C" fn step() -> f32 {
    PAGE.with_borrow_mut(|page| {
        let Some((network, stream)) = &mut page.network else { return f32::NAN };
        let probability = network.step(&page.chunk, stream);
        page.probabilities.push(probability);
        probability
    })
}

/// Computes the segments of speech in the stream so far, with the rules of Silero for a threshold.
/// Returns their number.
#[unsafe(no_mangle)]
extern "C" fn find_segments(threshold: f32) -> usize {
    PAGE.with_borrow_mut(|page| {
        let length = page.probabilities.len() * CHUNK;
        let found = segments(&page.probabilities, length, &Hysteresis::new(threshold));
        page.segments = found.iter().flat_map(|segment| [segment.start as u32, segment.end as u32]).collect();
        found.len()
    })
}

/// Returns the place of the beginning and the end of each segment, in samples.
#[unsafe(no_mangle)]
extern "C" fn segment_bounds() -> *const u32 {
    PAGE.with_borrow(|page| page.segments.as_ptr())
}
