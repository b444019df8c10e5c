use misread::native::idx::Digits; use misread::train::*; use std::path::Path;
fn main(){ let d=Path::new("data/mnist");
let tr=Digits::read(&d.join("train-images-idx3-ubyte"),&d.join("train-labels-idx1-ubyte")).unwrap();
let te=Digits::read(&d.join("t10k-images-idx3-ubyte"),&d.join("t10k-labels-idx1-ubyte")).unwrap();
let e:usize=std::env::args().nth(1).unwrap().parse().unwrap();
train(&Options{arch:&misread::arch::MNIST_CNN,epochs:e,batch:128,rate:2e-3,seed:1,device:candle_core::Device::Cpu,out:"out/mnist-cnn.safetensors".into(),command:"x".into()},&tr,&te).unwrap();
}
