// SPDX-License-Identifier: Apache-2.0
// Embeddings and rankings of texts by fastembed, with models of the caller's: program FOLDER (models.py). Prints them.
use fastembed::*;

fn read(folder: &str, name: &str) -> Vec<u8> {
    std::fs::read(format!("{folder}/{name}")).expect(name)
}

fn files(folder: &str) -> TokenizerFiles {
    TokenizerFiles {
        tokenizer_file: read(folder, "tokenizer.json"),
        config_file: read(folder, "config.json"),
        special_tokens_map_file: read(folder, "special_tokens_map.json"),
        tokenizer_config_file: read(folder, "tokenizer_config.json"),
    }
}

fn show(what: &str, model: &mut TextEmbedding, batch: Option<usize>) {
    let texts = ["red fox", "the quick brown fox jumps over the lazy dog", "", "dog dog dog unknown"];
    match model.embed(texts, batch) {
        Ok(all) => all.iter().for_each(|e| println!("{what} {} {}", e.len(), e.iter().map(|v| format!("{v:.6}")).collect::<Vec<_>>().join(" "))),
        Err(e) => println!("{what}: {}", e.to_string().lines().next().unwrap_or("")),
    }
}

fn main() {
    let folder = std::env::args().nth(1).expect("program FOLDER");
    let own = || UserDefinedEmbeddingModel::new(read(&folder, "embed.onnx"), files(&folder));
    let apart = || UserDefinedEmbeddingModel::new(read(&folder, "apart.onnx"), files(&folder))
        .with_external_initializer("table.bin".into(), read(&folder, "table.bin"));
    let options = || InitOptionsUserDefined::default().with_intra_threads(1);
    for pooling in [Pooling::Cls, Pooling::Mean] {
        let mut model = TextEmbedding::try_new_from_user_defined(own().with_pooling(pooling.clone()), options()).expect("a model");
        show(&format!("{pooling:?}"), &mut model, None);
        show(&format!("{pooling:?} by twos"), &mut model, Some(2));
    }
    let settings: [(&str, InitOptionsUserDefined); 5] = [
        ("short", options().with_max_length(4)),
        ("set", options().with_session_config("session.set_denormal_as_zero", "1")),
        ("no fallback", options().with_disable_cpu_fallback(true)),
        ("four", options().with_dimension_override("batch", 4)),
        ("cpu", options().with_auto_device(AutoDevicePolicy::PreferCPU)),
    ];
    for (what, o) in settings {
        match TextEmbedding::try_new_from_user_defined(own(), o) {
            Ok(mut model) => show(what, &mut model, None),
            Err(e) => println!("{what}: refused {}", !e.to_string().is_empty()),
        }
    }
    match TextEmbedding::try_new_from_user_defined(apart(), options()) {
        Ok(mut model) => show("apart", &mut model, None),
        Err(e) => println!("apart: {e}"),
    }
    let bare = UserDefinedEmbeddingModel::new(read(&folder, "apart.onnx"), files(&folder));
    println!("without its file: {}", TextEmbedding::try_new_from_user_defined(bare, options()).is_err());
    let mut ranks = TextRerank::try_new_from_user_defined(UserDefinedRerankingModel::new(read(&folder, "rank.onnx"), files(&folder)),
        RerankInitOptionsUserDefined::default()).expect("a model");
    for r in ranks.rerank("red fox", ["the lazy dog", "quick red fox", "brown"], true, None).expect("ranks") {
        println!("{} {:?} {:.6}", r.index, r.document, r.score);
    }
}
