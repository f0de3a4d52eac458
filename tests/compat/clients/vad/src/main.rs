// SPDX-License-Identifier: Apache-2.0
// Where voice_activity_detector, with the model that it holds, hears speech: the chance of each piece of a made sound.
use voice_activity_detector::{IteratorExt, VoiceActivityDetector};

fn main() {
    for (rate, size) in [(16000i64, 512usize), (8000, 256)] {
        let mut vad = VoiceActivityDetector::builder().sample_rate(rate).chunk_size(size).build().expect("a detector");
        let mut phase = [0f64; 20];
        let sound: Vec<i16> = (0..3 * rate as usize)
            .map(|i| {
                let t = i as f64 / rate as f64;
                let pitch = 140.0 + 60.0 * (8.2 * t).sin();
                let mut x = 0.0;
                for (k, p) in phase.iter_mut().enumerate().skip(1) {
                    *p += k as f64 * pitch * std::f64::consts::TAU / rate as f64;
                    x += p.sin() / k as f64 * (1.0 + (4.4 * k as f64 * t).sin());
                }
                (x * 2500.0 * (0.6 + 0.4 * (13.0 * t).sin())) as i16
            })
            .collect();
        for chunk in sound.chunks(size) {
            println!("{rate} {:.6}", vad.predict(chunk.iter().copied()));
        }
        vad.reset();
        for label in sound.into_iter().label(&mut vad, 0.5, 3).take(40) {
            println!("{rate} {}", label.is_speech());
        }
    }
}
