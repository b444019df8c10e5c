//! ONNX to a network.

use super::builder::Builder;
use super::feeding::Feeding;
use super::graph::Graph;
use super::value::Form;
use super::{bad, labels};
use crate::datasets::{self, Dataset};
use crate::error::{Error, Result};
use crate::metrics::argmax;
use crate::network::layer::Shape;
use crate::network::{Activation, Kind, Layer, Net, Spec};

/// What is asked for besides the file.
#[derive(Clone, Debug, Default)]
pub struct Asked<'a> {
    /// What the network is called.
    pub name: &'a str,
    /// Whose images it reads; found by their size where none is named.
    pub dataset: Option<&'static Dataset>,
    /// Rows, columns and channels of its images, where the file leaves them open.
    pub image: Option<Shape>,
    /// What its labels stand for, where neither the data set nor the file says so.
    pub labels: Vec<String>,
}

/// A network that was read, which sees pictures as it is fed them.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The network.
    pub spec: Spec,
    /// Its tensors, in the order of [`Spec::parameters`].
    pub tensors: Vec<Vec<f32>>,
}

/// How many images a feeding was tried on, and how many the network read rightly.
#[derive(Clone, Debug)]
pub struct Tried {
    /// The feeding.
    pub feeding: Feeding,
    /// Read rightly.
    pub right: usize,
    /// Of so many.
    pub of: usize,
}

/// The network of a file. Softmax at the end is left out: what is attacked are logits. It is fed pixels from 0 to 1 until
/// [`Imported::fed`] says otherwise.
///
/// # Errors
/// [`Error::BadFile`] for a damaged file, [`Error::Unsupported`] for what is not run, which it names.
pub fn import(bytes: &[u8], asked: &Asked<'_>) -> Result<Imported> {
    let graph = Graph::read(bytes)?;
    let unsupported = |why: String| Error::Unsupported { network: asked.name.into(), why };
    let wanted = asked.dataset.map(|dataset| dataset.image).or(asked.image);
    let (image, form) = image_of(&graph.input.1, wanted, asked.name)?;
    let mut builder = Builder::new(&graph, asked.name, image, form);
    for node in &graph.nodes {
        builder.take(node)?;
    }
    let output = builder.output()?;
    let count = output.count();
    if output.at != builder.layers.len() {
        return Err(builder.unsupported("its output is not what its last layer computes"));
    }
    let Builder { mut layers, mut tensors, .. } = builder;
    if layers.is_empty() {
        return Err(bad("it holds no layers"));
    }
    let last = layers.last().map(|layer| layer.kind);
    match (last, count) {
        // One number for two labels: its sigmoid is the softmax of nothing and itself.
        (kind, 1) => {
            if kind == Some(Kind::Activation(Activation::Sigmoid)) {
                layers.pop();
                tensors.pop();
            }
            layers.push(Layer::new(&format!("layer{}", layers.len() + 1), Kind::Dense(2)));
            tensors.push(vec![vec![0.0, 1.0], vec![0.0; 2]]);
        }
        (Some(Kind::Activation(Activation::Sigmoid)), _) => {
            let why = "it ends in a sigmoid for each label, so that several may hold at once: what is attacked here reads one label";
            return Err(unsupported(why.into()));
        }
        _ if output.shape[..2] != [1, 1] => {
            layers.push(Layer::plain(Kind::Unflatten([1, 1, count])));
            tensors.push(Vec::new());
        }
        _ => {}
    }
    let outputs = count.max(2);
    let dataset = asked.dataset.unwrap_or_else(|| datasets::of_images(image, outputs));
    let labels = labels_for(asked, dataset, &graph, outputs).map_err(unsupported)?;
    let spec = Spec {
        name: asked.name.into(),
        title: asked.name.into(),
        family: "onnx".into(),
        control_of: None,
        defends: None,
        dataset: dataset.name.into(),
        image,
        labels,
        layers,
        vae: None,
    };
    spec.check()?;
    Ok(Imported { spec, tensors: tensors.into_iter().flatten().collect() })
}

/// The images that a file reads, of its dimensions without the batch (0 where one is open), and how it has them.
fn image_of(dims: &[usize], wanted: Option<Shape>, name: &str) -> Result<(Shape, Form)> {
    let fits =
        |own: &[usize]| own.len() == dims.len() && dims.iter().zip(own).all(|(dim, n)| *dim == 0 || dim == n);
    if let Some([h, w, c]) = wanted {
        let forms = [
            (vec![c, h, w], Form::First),
            (vec![h, w, c], Form::Last),
            (vec![h, w], Form::Plane),
            (vec![h * w * c], Form::FlatFirst),
        ];
        let found = forms.into_iter().find(|(own, form)| fits(own) && (c == 1 || *form != Form::Plane));
        return match found {
            Some((_, form)) => Ok(([h, w, c], form)),
            None => Err(Error::Unsupported {
                network: name.into(),
                why: format!("it reads {dims:?}, not images of {h} x {w} x {c}"),
            }),
        };
    }
    let channels = |n: usize| (1..=4).contains(&n);
    match *dims {
        [c, h, w] if channels(c) && h > 0 && w > 0 => Ok(([h, w, c], Form::First)),
        [h, w, c] if channels(c) && h > 0 && w > 0 => Ok(([h, w, c], Form::Last)),
        [h, w] if h > 0 && w > 0 => Ok(([h, w, 1], Form::Plane)),
        [784] => Ok(([28, 28, 1], Form::FlatFirst)),
        [3072] => Ok(([32, 32, 3], Form::FlatFirst)),
        _ => Err(Error::NoSize { network: name.into(), dims: dims.to_vec() }),
    }
}

/// What its labels stand for: as asked for, or as the data set or the file has them, or their numbers.
fn labels_for(
    asked: &Asked<'_>,
    dataset: &Dataset,
    graph: &Graph,
    outputs: usize,
) -> std::result::Result<Vec<String>, String> {
    let given = !asked.labels.is_empty();
    if given && asked.labels.len() != outputs {
        return Err(format!("it puts out {outputs} numbers, and {} labels are given", asked.labels.len()));
    }
    if given {
        return Ok(asked.labels.clone());
    }
    if !dataset.labels.is_empty() {
        if dataset.labels.len() != outputs {
            let (nouns, title, own) = (dataset.nouns[1], dataset.title, dataset.labels.len());
            return Err(format!("it puts out {outputs} numbers; the {nouns} of {title} have {own} labels"));
        }
        return Ok(dataset.labels.iter().map(|label| (*label).to_owned()).collect());
    }
    let named = labels::of_metadata(&graph.metadata).filter(|labels| labels.len() == outputs);
    Ok(named.unwrap_or_else(|| (0..outputs).map(|i| i.to_string()).collect()))
}

/// Up to which image the ways of feeding are tried, and how many of them are tried on: the best of the round before.
const ROUNDS: [(usize, usize); 3] = [(10, usize::MAX), (40, 4), (usize::MAX, 1)];

impl Imported {
    /// How it reads images whose labels are known (pixels in [0, 1]), fed in every way: the way in which it reads most of them rightly
    /// first. All are tried on a few, the best of them on more, the best of these on all.
    ///
    /// # Errors
    /// When it cannot be run.
    pub fn try_feedings(&self, images: &[(&[f32], usize)]) -> Result<Vec<Tried>> {
        let mut net = Net::new(&self.spec, &self.tensors)?;
        let classes = self.spec.classes();
        let mut right = |feeding: &Feeding, images: &[(&[f32], usize)]| {
            let reads = |(pixels, label): &&(&[f32], usize)| {
                argmax(&net.forward(&feeding.apply(pixels, self.spec.image))[..classes]) == *label
            };
            images.iter().filter(reads).count()
        };
        let tried = |feeding| Tried { feeding, right: 0, of: 0 };
        let mut all: Vec<Tried> = Feeding::all(self.spec.image).into_iter().map(tried).collect();
        let mut done = 0;
        for (until, best) in ROUNDS {
            let until = until.min(images.len());
            for tried in all.iter_mut().take(best) {
                tried.right += right(&tried.feeding, &images[done..until]);
                tried.of = until;
            }
            // Of equals the commoner; who was tried on more stays before.
            let best = best.min(all.len());
            all[..best].sort_by_key(|tried| std::cmp::Reverse(tried.right));
            done = until;
        }
        Ok(all)
    }

    /// The network with what feeds it before it.
    ///
    /// # Errors
    /// Where it is too large with that.
    pub fn fed(mut self, feeding: &Feeding) -> Result<Self> {
        feeding.put_before(&mut self.spec, &mut self.tensors);
        self.spec.check()?;
        Ok(self)
    }
}
