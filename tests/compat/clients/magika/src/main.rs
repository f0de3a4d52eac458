// SPDX-License-Identifier: Apache-2.0
// What kinds magika takes the files of a folder for, one by one and all at once, with its scores.
use magika::{FeaturesOrRuled, Session};

fn main() {
    let folder = std::env::args().nth(1).expect("a folder");
    let mut session = Session::builder().with_inter_threads(1).with_intra_threads(1).build().expect("a session");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_file()).collect();
    files.sort();
    let mut all = Vec::new();
    for file in &files {
        let name = file.file_name().unwrap().to_string_lossy();
        match session.identify_file_sync(file) {
            Ok(t) => println!("{name} {} {:.5}", t.info().label, t.score()),
            Err(e) => println!("{name} {e}"),
        }
        if let Ok(FeaturesOrRuled::Features(f)) = FeaturesOrRuled::extract_sync(std::fs::File::open(file).unwrap()) {
            all.push(f);
        }
    }
    for t in session.identify_features_batch_sync(&all).expect("a batch") {
        println!("{} {:.5}", t.info().label, t.score());
    }
}
