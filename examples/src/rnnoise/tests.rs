//! The denoised sound compared with that of the crate `nnnoiseless`.

use super::*;
use nnnoiseless::DenoiseState;
use std::fs;
use std::path::Path;

fn network() -> Box<Network> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join("rnnoise");
    load(&fs::read(folder.join(WEIGHTS)).unwrap()).unwrap()
}

#[test]
fn try_it() {
    let network = network();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let mut state = network.initial_state();
    let mut stream = Stream::new();
    let mut theirs = DenoiseState::new();
    let mut worst = (0f32, 0f32, 0f32);
    for t in 0..200 {
        let frame: [f32; FRAME] = std::array::from_fn(|n| {
            let n = (t * FRAME + n) as f32 / 48000.0;
            let level = (n * 6.0).sin().max(0.0);
            let r = rnn_cell::rng::uniform(&mut rng, -0.1, 0.1);
            level * 0.2 * ((n * 900.0).sin() + (n * 1800.0).sin() + (n * 2700.0).sin()) + r as f32
        });
        let (ours, speech) = stream.step(&frame, |x| network.step(x, &mut state));
        let mut out = [0.0; FRAME];
        let other = theirs.process_frame(&mut out, &frame.map(|x| x * 32768.0));
        for (a, b) in ours.iter().zip(out) {
            worst.0 = worst.0.max((a - b / 32768.0).abs());
            worst.1 = worst.1.max(a.abs());
        }
        worst.2 = worst.2.max((speech - other).abs());
    }
    println!("{worst:?}");
}
