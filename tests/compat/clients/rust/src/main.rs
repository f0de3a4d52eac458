// SPDX-License-Identifier: Apache-2.0
// What the crate ort offers for inference, over the models of ../models.py: program FOLDER, with ORT_DYLIB_PATH.
// It prints the same on the original's library and on whet's but for the last digits; ../compare.py knows how much.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use half::{bf16, f16};
use ort::environment::Environment;
use ort::memory::{AllocationDevice, Allocator, AllocatorType, MemoryInfo, MemoryType};
use ort::operator::{ComputeContext, Kernel, KernelContext, Operator, OperatorDomain, OperatorInput, OperatorOutput};
use ort::session::builder::{GraphOptimizationLevel, PrepackedWeights, SessionBuilder};
use ort::session::{OutputSelector, RunOptions, Session, SessionInputValue};
use ort::value::{DynValue, Map, Sequence, Tensor, TensorElementType, TensorRef, ValueType};

type Any<T> = Result<T, Box<dyn std::error::Error>>;

// The number that element k of an input is.
fn rule(k: usize) -> i64 {
    ((37 * k + 11) % 101) as i64
}
fn real(k: usize) -> f64 {
    rule(k) as f64 / 50.5 - 1.0
}

fn tensor<T: ort::value::PrimitiveTensorElementType + Debug + Clone + 'static>(dims: &[i64], f: impl Fn(usize) -> T) -> Any<DynValue> {
    let n: i64 = dims.iter().product();
    Ok(Tensor::from_array((dims.to_vec(), (0..n as usize).map(f).collect::<Vec<T>>()))?.into_dyn())
}

// A tensor of that type and shape by the rule.
fn fill(kind: &str, dims: &[i64], fixed: &str) -> Any<DynValue> {
    Ok(match kind {
        "float" => tensor(dims, |k| real(k) as f32)?,
        "double" => tensor(dims, real)?,
        "float16" => tensor(dims, |k| f16::from_f64(real(k)))?,
        "bfloat16" => tensor(dims, |k| bf16::from_f64(real(k)))?,
        "int8" => tensor(dims, |k| rule(k) as i8)?,
        "int16" => tensor(dims, |k| rule(k) as i16)?,
        "int32" => tensor(dims, |k| rule(k) as i32)?,
        "int64" => {
            let own: Option<i64> = fixed.parse().ok();
            tensor(dims, |k| own.unwrap_or(rule(k)))?
        }
        "uint8" => tensor(dims, |k| rule(k) as u8)?,
        "uint16" => tensor(dims, |k| rule(k) as u16)?,
        "uint32" => tensor(dims, |k| rule(k) as u32)?,
        "uint64" => tensor(dims, |k| rule(k) as u64)?,
        "bool" => tensor(dims, |k| k % 3 == 0)?,
        "string" => {
            let n: i64 = dims.iter().product();
            let s: Vec<String> = (0..n).map(|k| format!("s{k}\u{e9}")).collect();
            Tensor::from_string_array((dims.to_vec(), &*s))?.into_dyn()
        }
        other => return Err(format!("type {other}").into()),
    })
}

fn first<T: ort::value::PrimitiveTensorElementType + Debug + Copy>(v: &DynValue) -> Any<String> {
    let (shape, data) = v.try_extract_tensor::<T>()?;
    Ok(format!("{shape:?} {:?} of {}", &data[..data.len().min(6)], data.len()))
}

// One value in a line.
fn show(v: &DynValue) -> Any<String> {
    let t = v.dtype();
    Ok(match t {
        ValueType::Tensor { ty, .. } => format!(
            "{t} {}",
            match ty {
                TensorElementType::Float32 => {
                    let (_, data) = v.try_extract_tensor::<f32>()?;
                    format!("{} sum {:.4}", first::<f32>(v)?, data.iter().map(|x| *x as f64).sum::<f64>())
                }
                TensorElementType::Float64 => first::<f64>(v)?,
                TensorElementType::Float16 => first::<f16>(v)?,
                TensorElementType::Bfloat16 => first::<bf16>(v)?,
                TensorElementType::Int8 => first::<i8>(v)?,
                TensorElementType::Int16 => first::<i16>(v)?,
                TensorElementType::Int32 => first::<i32>(v)?,
                TensorElementType::Int64 => first::<i64>(v)?,
                TensorElementType::Uint8 => first::<u8>(v)?,
                TensorElementType::Uint16 => first::<u16>(v)?,
                TensorElementType::Uint32 => first::<u32>(v)?,
                TensorElementType::Uint64 => first::<u64>(v)?,
                TensorElementType::Bool => first::<bool>(v)?,
                TensorElementType::String => format!("{:?}", v.try_extract_strings()?),
                other => format!("{other:?}"),
            }
        ),
        ValueType::Sequence(inner) => {
            let mut s = format!("{t}:");
            if inner.is_tensor() {
                for x in v.view().downcast::<ort::value::DynSequenceValueType>()?.try_extract_sequence::<ort::value::DynTensorValueType>()? {
                    s += &format!(" ({})", show(&x.into_dyn())?);
                }
            } else {
                for x in v.view().downcast::<ort::value::DynSequenceValueType>()?.try_extract_sequence::<ort::value::DynMapValueType>()? {
                    s += &format!(" ({})", show(&x.into_dyn())?);
                }
            }
            s
        }
        ValueType::Map { key, .. } => {
            let m = v.view().downcast::<ort::value::DynMapValueType>()?;
            match key {
                TensorElementType::Int64 => format!("{t} {:?}", m.try_extract_map::<i64, f32>()?.into_iter().collect::<BTreeMap<_, _>>()),
                _ => format!("{t} {:?}", m.try_extract_map::<String, f32>()?.into_iter().collect::<BTreeMap<_, _>>()),
            }
        }
        _ => format!("{t}"),
    })
}

// What must fail: its code and the first line of its words; the code alone where each library has words of its own.
fn fails<T, E>(what: &str, r: Result<T, ort::Error<E>>, own: bool) {
    match r {
        Ok(_) => println!("  {what}: no error"),
        Err(e) if own => println!("  {what}: refused {}", e.message().is_empty()),
        Err(e) => println!("  {what}: {:?} {}", e.code(), e.message().lines().next().unwrap_or("")),
    }
}

fn describe(s: &Session) {
    for i in s.inputs() {
        println!("  in {} {} {:?}", i.name(), i.dtype(), i.dtype());
    }
    for o in s.outputs() {
        println!("  out {} {} {:?}", o.name(), o.dtype(), o.dtype());
    }
    let mut over: Vec<String> = s.overridable_initializers().iter().map(|o| format!("{} {}", o.name(), o.dtype())).collect();
    over.sort();
    println!("  overridable {} {:?}", over.len(), over.first());
}

fn print(outputs: &ort::session::SessionOutputs<'_>, names: &[String]) -> Any<()> {
    for name in names {
        println!("  {name}: {}", show(&outputs[name.as_str()])?);
    }
    Ok(())
}

type Feeds = Vec<(String, DynValue)>;
fn inputs(feeds: &Feeds) -> Vec<(String, SessionInputValue<'_>)> {
    feeds.iter().map(|(n, v)| (n.clone(), SessionInputValue::from(v.view()))).collect()
}

// Every model with plain inputs: from file and bytes, all outputs and some, bound, into tensors of the caller's.
fn zoo(env: &Environment, folder: &str) -> Any<()> {
    let mut models: Vec<(String, Feeds)> = Vec::new();
    for line in std::fs::read_to_string(format!("{folder}/cases"))?.lines() {
        let p: Vec<&str> = line.split('\t').collect();
        let dims: Vec<i64> = p[3].split(',').filter(|d| !d.is_empty()).map(|d| d.parse().unwrap()).collect();
        if models.last().map(|m| m.0 != p[0]).unwrap_or(true) {
            models.push((p[0].to_string(), Vec::new()));
        }
        models.last_mut().unwrap().1.push((p[1].to_string(), fill(p[2], &dims, p[4])?));
    }
    for (file, feeds) in &models {
        println!("{}", file.rsplit('/').next().unwrap());
        let mut s = Session::builder(env)?.with_intra_threads(1)?.commit_from_file(file)?;
        describe(&s);
        let names: Vec<String> = s.outputs().iter().map(|o| o.name().to_string()).collect();
        print(&s.run(inputs(feeds))?, &names)?;
        let last = names.last().unwrap().clone();
        let options = RunOptions::new()?.with_outputs(OutputSelector::no_default().with(&last));
        let some = s.run_with_options(inputs(feeds), &options)?;
        println!("  asked for one: {} {:?}", some.len(), some.keys().collect::<Vec<_>>());
        drop(some);
        drop(options);
        let mut b = s.create_binding()?;
        for (n, v) in feeds {
            b.bind_input(n, v)?;
        }
        for n in &names {
            b.bind_output_to_device(n, &s.allocator().memory_info())?;
        }
        print(&s.run_binding(&b)?, &names)?;
        if s.outputs().iter().all(|o| o.dtype().is_tensor()) {
            print(&s.run_binding(&b)?, &names)?; // the original adds to a sequence that is bound already
        }
        drop(b);
        let bytes = std::fs::read(file)?;
        let mut s = Session::builder(env)?.commit_from_memory(&bytes)?;
        print(&s.run(inputs(feeds))?, &names)?;
        let mut s = Session::builder(env)?.with_intra_threads(2)?.commit_from_memory_directly(&bytes)?;
        print(&s.run(inputs(feeds))?, &names)?;
    }
    Ok(())
}

fn session(env: &Environment, folder: &str, name: &str) -> Any<Session> {
    Ok(Session::builder(env)?.commit_from_file(format!("{folder}/{name}.onnx"))?)
}

fn metadata(env: &Environment, folder: &str) -> Any<()> {
    println!("metadata");
    for name in ["add", "two", "over"] {
        let s = session(env, folder, name)?;
        let m = s.metadata()?;
        println!("  {:?} {:?} {:?} {:?} {:?} {:?}", m.producer(), m.name(), m.graph_description(), m.domain(), m.description(), m.version());
        let mut keys = m.custom_keys()?;
        keys.sort();
        for k in &keys {
            println!("  {k} = {:?}", m.custom(k));
        }
        println!("  {:?}", m.custom("nobody"));
    }
    Ok(())
}

// Tensors, sequences and maps of the caller's.
fn values(env: &Environment, folder: &str) -> Any<()> {
    println!("values");
    let a = Tensor::<f32>::new(&Allocator::default(), [2_usize, 3])?;
    println!("  {} {:?} {}", a.dtype(), a.shape(), a.memory_info().is_cpu_accessible());
    let x = [1.0f32, 2.0, 3.0];
    let view = TensorRef::from_array_view(([3_usize], x.as_slice()))?;
    println!("  {:?} {:?}", view.extract_tensor(), view.memory_info().allocation_device());
    let mut own = Tensor::from_array(([2_usize, 2], vec![1i32, 2, 3, 4]))?;
    own.extract_tensor_mut().1[3] = 9;
    println!("  {:?} {:?}", own.extract_tensor(), own[[0, 1]]);
    println!("  {:?}", own.clone().extract_tensor());
    let scalar = Tensor::from_array(((), vec![7.5f32]))?;
    println!("  {:?}", scalar.try_extract_scalar::<f32>()?);
    fails("other type", scalar.try_extract_tensor::<i64>(), false);
    fails("too few", Tensor::from_array(([3_usize], vec![1i32])), true);
    let s = Tensor::from_string_array(([2_usize], &["a", "\u{e9}\u{1f600}"][..]))?;
    println!("  {:?}", s.try_extract_strings()?);
    let m = Map::<i64, f32>::new([(1, 0.5), (7, 1.5)])?;
    println!("  {}", show(&m.into_dyn())?);
    let m = Map::<String, f32>::new([("x".to_string(), 0.5), ("y".to_string(), 1.5)])?;
    println!("  {}", show(&m.into_dyn())?);
    let q = Sequence::new([Tensor::from_array(([2_usize], vec![1.0f32, 2.0]))?, Tensor::from_array(([1_usize], vec![3.0f32]))?])?;
    println!("  {} {}", q.len(), show(&q.into_dyn())?);
    println!("  {:?}", Tensor::from_array(([2_usize], vec![1.0f32, 2.0]))?.to(AllocationDevice::CPU, 0)?.extract_tensor());
    for device in [AllocationDevice::CPU, AllocationDevice::CUDA, AllocationDevice::CUDA_PINNED] {
        let i = MemoryInfo::new(device, 0, AllocatorType::Device, MemoryType::Default)?;
        println!("  {:?} {} {:?} {:?} {:?}", i.allocation_device(), i.device_id(), i.memory_type(), i.allocator_type(), i.device_type());
    }
    let mut s = session(env, folder, "seq_in")?;
    describe(&s);
    let q = Sequence::new([Tensor::from_array(([2_usize], vec![1.0f32, 2.0]))?, Tensor::from_array(([1_usize], vec![3.0f32]))?])?;
    print(&s.run(ort::inputs![q])?, &["n".to_string(), "all".to_string()])?;
    let mut s = session(env, folder, "map_in")?;
    describe(&s);
    let m = Map::<String, f32>::new([("d".to_string(), 0.5), ("a".to_string(), 1.5)])?;
    print(&s.run(ort::inputs![m])?, &["y".to_string()])?;
    Ok(())
}

fn x22() -> Any<DynValue> {
    fill("float", &[2, 2], "")
}

fn options(env: &Environment, folder: &str) -> Any<()> {
    println!("options");
    let add = format!("{folder}/add.onnx");
    let packed = PrepackedWeights::new();
    type Change<'a> = Box<dyn Fn(SessionBuilder) -> Result<SessionBuilder, ort::Error<SessionBuilder>> + 'a>;
    let all: Vec<(&str, Change)> = vec![
        ("none", Box::new(Ok)),
        ("level 0", Box::new(|b: SessionBuilder| b.with_optimization_level(GraphOptimizationLevel::Disable))),
        ("level 1", Box::new(|b: SessionBuilder| b.with_optimization_level(GraphOptimizationLevel::Level1))),
        ("level 2", Box::new(|b: SessionBuilder| b.with_optimization_level(GraphOptimizationLevel::Level2))),
        ("level 3", Box::new(|b: SessionBuilder| b.with_optimization_level(GraphOptimizationLevel::Level3))),
        ("all", Box::new(|b: SessionBuilder| b.with_optimization_level(GraphOptimizationLevel::All))),
        ("parallel", Box::new(|b: SessionBuilder| b.with_parallel_execution(true)?.with_inter_threads(2))),
        ("no pattern", Box::new(|b: SessionBuilder| b.with_memory_pattern(false))),
        ("deterministic", Box::new(|b: SessionBuilder| b.with_deterministic_compute(true))),
        ("dimension", Box::new(|b: SessionBuilder| b.with_dimension_override("N", 2))),
        ("denotation", Box::new(|b: SessionBuilder| b.with_dimension_override_by_denotation("nobody", 2))),
        ("log", Box::new(|b: SessionBuilder| b.with_log_id("me")?.with_log_level(ort::logging::LogLevel::Error)?.with_log_verbosity(1))),
        ("entries", Box::new(|b: SessionBuilder| b.with_flush_to_zero()?.with_prepacking(false)?.with_intra_op_spinning(false)?.with_env_allocators())),
        ("own pool", Box::new(|b: SessionBuilder| b.with_independent_thread_pool())),
        ("packed", Box::new(|b: SessionBuilder| b.with_prepacked_weights(&packed))),
        ("packed again", Box::new(|b: SessionBuilder| b.with_prepacked_weights(&packed))),
        ("cpu", Box::new(|b: SessionBuilder| b.with_execution_providers([ort::ep::CPU::default().with_arena_allocator(true).build()]))),
        ("optimized", Box::new(|b: SessionBuilder| b.with_optimized_model_path(format!("{folder}/optimized_rust.onnx")))),
        ("initializer", Box::new(|b: SessionBuilder| b.with_initializer("w", Tensor::from_array(([2_usize], vec![100.0f32, 200.0])).unwrap().into_dyn()))),
    ];
    for (name, change) in &all {
        let mut s = change(Session::builder(env)?).map_err(|e| format!("{name}: {e}"))?.commit_from_file(&add)?;
        let v = x22()?;
        let kind = s.inputs()[0].dtype().to_string();
        println!("  {name}: {kind} {}", show(&s.run(ort::inputs![v])?["y"])?);
    }
    println!("  optimized {}", std::fs::metadata(format!("{folder}/optimized_rust.onnx"))?.len() > 50);
    let mut s = Session::builder(env)?.with_profiling(format!("{folder}/profile_rust"))?.commit_from_file(&add)?;
    s.run(ort::inputs![x22()?])?;
    println!("  started {}", s.profiling_start_ns()? > 0);
    let path = s.end_profiling()?;
    println!("  profile {} {}", path.starts_with(&format!("{folder}/profile_rust")), std::fs::metadata(&path)?.len() > 10);
    std::fs::remove_file(path)?;
    let b = Session::builder(env)?.with_log_id("first")?;
    let mut c = b.clone();
    println!("  of a copy: {}", show(&c.commit_from_file(&add)?.run(ort::inputs![x22()?])?["y"])?);
    let nobody = Tensor::from_array(([2_usize], vec![1.0f32, 2.0]))?.into_dyn();
    fails("external of nobody", Session::builder(env)?.with_external_initializer("nobody", nobody)?.commit_from_file(&add), true);
    let mut b = Session::builder(env)?;
    b.canceler().cancel()?;
    fails("cancelled load", b.commit_from_file(&add), true);
    fails("operator library", Session::builder(env)?.with_operator_library("/nowhere.so"), true);
    Ok(())
}

fn runs(env: &Environment, folder: &str) -> Any<()> {
    println!("runs");
    let mut s = session(env, folder, "add")?;
    let mut o = RunOptions::new()?.with_tag("tag")?;
    o.set_log_level(ort::logging::LogLevel::Fatal)?;
    o.set_log_verbosity(3)?;
    o.set("memory.enable_memory_arena_shrinkage", "cpu:0")?;
    let entries = (o.get("memory.enable_memory_arena_shrinkage"), o.get("nobody"));
    println!("  {} {:?} {} {:?}", o.tag()?, o.log_level()?, o.log_verbosity()?, entries);
    o.terminate()?;
    fails("terminated", s.run_with_options(ort::inputs![x22()?], &o), false);
    o.unterminate()?;
    println!("  {}", show(&s.run_with_options(ort::inputs![x22()?], &o)?["y"])?);
    // An output of the caller's.
    let own = Tensor::<f32>::new(&Allocator::default(), [2_usize, 2])?;
    let o = RunOptions::new()?.with_outputs(OutputSelector::default().preallocate("y", own));
    println!("  {}", show(&s.run_with_options(ort::inputs![x22()?], &o)?["y"])?);
    // Terminated from another thread.
    let mut e = session(env, folder, "endless")?;
    let o = Arc::new(RunOptions::new()?);
    let other = o.clone();
    let stop = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(300));
        other.terminate().unwrap();
    });
    fails("endless", e.run_with_options(ort::inputs!["n" => Tensor::from_array(((), vec![i64::MAX]))?, "v" => fill("float", &[64], "")?], &*o), true);
    stop.join().unwrap();
    // Threads of the caller's, each with a session, one after the other on one.
    let done = Arc::new(AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for t in 0..4 {
            let done = done.clone();
            let env = env.clone();
            scope.spawn(move || {
                let mut s = Session::builder(&env).unwrap().commit_from_file(format!("{folder}/two.onnx")).unwrap();
                for i in 1..20 {
                    let a = tensor(&[i, 4], |_| t as f32).unwrap();
                    let b = tensor(&[i, 4], |_| i as f32).unwrap();
                    let r = s.run(ort::inputs!["a" => a, "b" => b]).unwrap();
                    let (shape, data) = r["product"].try_extract_tensor::<f32>().unwrap();
                    if shape[0] == i && data.iter().all(|x| *x == (t as i64 * i) as f32) {
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    println!("  right: {}", done.load(Ordering::Relaxed));
    Ok(())
}

fn errors(env: &Environment, folder: &str) -> Any<()> {
    println!("errors");
    let mut s = session(env, folder, "add")?;
    let none: HashMap<String, DynValue> = HashMap::new();
    fails("no input", s.run(none), true);
    fails("other name", s.run(ort::inputs!["z" => x22()?]), false);
    fails("other type", s.run(ort::inputs!["x" => fill("double", &[2, 2], "")?]), false);
    fails("other rank", s.run(ort::inputs!["x" => fill("float", &[4], "")?]), false);
    fails("other size", s.run(ort::inputs!["x" => fill("float", &[2, 3], "")?]), false);
    let small = Tensor::<f32>::new(&Allocator::default(), [1_usize, 2])?;
    let o = RunOptions::new()?.with_outputs(OutputSelector::default().preallocate("y", small));
    fails("small output", s.run_with_options(ort::inputs![x22()?], &o), true);
    let mut b = s.create_binding()?;
    fails("bound to nobody", b.bind_input("nobody", &x22()?), false);
    fails("nothing bound", s.run_binding(&b), true);
    for name in ["broken", "unknown_op", "nowhere"] {
        fails(name, Session::builder(env)?.commit_from_file(format!("{folder}/{name}.onnx")), true);
    }
    fails("no bytes", Session::builder(env)?.commit_from_memory(&[]), true);
    Ok(())
}

// An operator of the caller's own, which looks at all that it is told when it is made.
struct Scale;
struct ScaleKernel {
    by: f32,
}
impl Kernel for ScaleKernel {
    fn compute(&mut self, c: &ComputeContext) -> ort::Result<()> {
        let x = c.input(0)?.ok_or_else(|| ort::Error::new("no input"))?;
        let (shape, data) = x.try_extract_tensor::<f32>()?;
        let mut out = c.output(0, shape.to_vec())?.ok_or_else(|| ort::Error::new("no output"))?;
        let (_, to) = out.try_extract_tensor_mut::<f32>()?;
        for (t, d) in to.iter_mut().zip(data) {
            *t = d * self.by;
        }
        let sum = AtomicUsize::new(0);
        c.par_for(10, 2, |i| {
            sum.fetch_add(i, Ordering::Relaxed);
        })?;
        println!("  kernel: {} in, {} out, parallel {}", c.num_inputs()?, c.num_outputs()?, sum.load(Ordering::Relaxed));
        Ok(())
    }
}
impl Operator for Scale {
    type Kernel<'attr> = ScaleKernel;
    fn name(&self) -> &str {
        "Scale"
    }
    fn inputs(&self) -> impl IntoIterator<Item = OperatorInput> {
        [OperatorInput::required(TensorElementType::Float32)]
    }
    fn outputs(&self) -> impl IntoIterator<Item = OperatorOutput> {
        [OperatorOutput::required(TensorElementType::Float32)]
    }
    fn create_kernel<'attr>(&self, k: &KernelContext<'attr>) -> ort::Result<ScaleKernel> {
        println!("  node {:?}", k.node_name()?);
        for i in k.inputs()? {
            println!("  in {} {}", i.name(), i.dtype());
        }
        for o in k.outputs()? {
            println!("  out {} {}", o.name(), o.dtype());
        }
        println!("  {:?} {:?} {:?}", k.get::<i64>("count"), k.get::<String>("text"), k.get::<Vec<f32>>("list"));
        println!("  {:?} {:?}", k.get::<Vec<i64>>("sizes"), k.get::<f32>("nobody"));
        Ok(ScaleKernel { by: k.get::<f32>("by").unwrap_or(1.0) })
    }
}
fn operators(env: &Environment, folder: &str) -> Any<()> {
    println!("operators");
    let mut s = Session::builder(env)?
        .with_operators(OperatorDomain::new("org.example")?.add(Scale)?)?
        .commit_from_file(format!("{folder}/own_op.onnx"))?;
    println!("  {}", show(&s.run(ort::inputs![x22()?])?["y"])?);
    Ok(())
}

// Initialisers that are inputs too.
fn overridable(env: &Environment, folder: &str) -> Any<()> {
    println!("overridable");
    let mut s = session(env, folder, "over")?;
    println!("  {}", show(&s.run(ort::inputs!["x" => x22()?])?["y"])?);
    println!("  {}", show(&s.run(ort::inputs!["x" => x22()?, "w" => Tensor::from_array(([2_usize], vec![100.0f32, 200.0]))?])?["y"])?);
    fails("w of another size", s.run(ort::inputs!["x" => x22()?, "w" => Tensor::from_array(([1_usize], vec![1.0f32]))?]), false);
    println!("  {}", show(&s.run(ort::inputs!["x" => x22()?])?["y"])?);
    Ok(())
}

fn main() -> Any<()> {
    let folder = std::env::args().nth(1).expect("program FOLDER");
    let env = ort::init().with_name("program").with_telemetry(false).build()?;
    env.set_log_level(ort::logging::LogLevel::Fatal);
    metadata(&env, &folder)?;
    values(&env, &folder)?;
    zoo(&env, &folder)?;
    options(&env, &folder)?;
    runs(&env, &folder)?;
    errors(&env, &folder)?;
    operators(&env, &folder)?;
    overridable(&env, &folder)?;
    Ok(())
}
