//! The command line: what can be asked for, and who answers it.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, Parser, Subcommand, ValueEnum};
use misread::arch::{self, Arch};
use misread::attack;
use misread::attack::Norm;
use misread::attack::apgd::LossKind;
use misread::attack::iterative::L1Form;
use misread::attack::options::Method;
use misread::native::study::shard::Shard;
use misread::native::subject::Reading;
use misread::native::{self, bench, fetch, fetch_lfw, images, sample, server};
use misread::study::EOT;

/// See a neural network misread. Without a command: serves the page.
#[derive(Parser)]
#[command(version, about, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

#[derive(Subcommand)]
enum Command {
    /// Serves the page (what happens without a command, too)
    Serve(Serve),
    /// Fetches a data set and checks it
    Fetch {
        /// Which one
        dataset: Dataset,
        #[command(flatten)]
        data: Data,
        /// A mirror to try first (a URL under which the four .gz files, or lfw-funneled.tgz, lie)
        #[arg(long)]
        mirror: Vec<String>,
    },
    /// Trains a network and exports its weights (needs a build with --features train)
    Train(Train),
    /// Attacks images and reports each
    Attack(Attack),
    /// Attacks every network with every attack and compares them
    Study(Study),
    /// Times gradients on this machine, beside its multiply-add peak
    Bench {
        /// Weights files; all shipped networks when none is given
        models: Vec<PathBuf>,
        /// Prints one JSON object instead of a table
        #[arg(long)]
        json: bool,
    },
    /// Packs the test digits that the page ships
    Sample {
        /// The first so many of the test set, in order, as the lab has them; ten of each label when not given
        #[arg(long)]
        first: Option<usize>,
        #[command(flatten)]
        data: Data,
        /// Where to
        #[arg(long, default_value = "models/mnist-sample.safetensors")]
        out: PathBuf,
    },
}

#[derive(Args)]
struct Serve {
    /// The port; the next free one when it is taken
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// The address to listen on (0.0.0.0 lets a whole class in)
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// Opens the page in the browser
    #[arg(long)]
    open: bool,
    #[command(flatten)]
    data: Data,
}

#[derive(Clone, Copy, ValueEnum)]
enum Dataset {
    /// Handwritten digits, 28 x 28, grey
    Mnist,
    /// Faces: Labeled Faces in the Wild, 154 x 154, colour
    Lfw,
}

#[derive(Args)]
struct Data {
    /// The folder of the data sets; name another if you have the files already
    #[arg(long, default_value = "data")]
    data_dir: PathBuf,
}

#[derive(Args)]
struct Train {
    /// Which network, e.g. mnist-cnn
    network: String,
    /// Passes over the training images; the network's own recipe when not given, as for the next two
    #[arg(long)]
    epochs: Option<usize>,
    /// Images a step
    #[arg(long)]
    batch: Option<usize>,
    /// Adam's learning rate at the start
    #[arg(long)]
    rate: Option<f64>,
    /// Of the first weights, of the order of the images and of a VAE's draws
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Numbers in a VAE's latent vector; 20 when not given
    #[arg(long)]
    latent: Option<usize>,
    /// Weight of the KL in a VAE's loss
    #[arg(long, default_value_t = 1.0)]
    beta: f64,
    /// Weight of the label's cross-entropy in a VAE's loss; the recipe's when not given (50 for digits)
    #[arg(long)]
    label_weight: Option<f64>,
    /// Faces: images that a person must have to be among the labels
    #[arg(long, default_value_t = native::lfw::MIN_IMAGES)]
    min_images: usize,
    /// Goes on after the last whole epoch of a training that was interrupted
    #[arg(long)]
    resume: bool,
    /// Where to compute
    #[arg(long, default_value = "cpu")]
    device: Device,
    /// Where the weights go; models/NETWORK.safetensors when not given
    #[arg(long)]
    out: Option<PathBuf>,
    #[command(flatten)]
    data: Data,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Device {
    Cpu,
    /// An NVIDIA GPU (needs a build with --features cuda)
    Cuda,
}

#[derive(Args)]
struct Attack {
    /// The weights file
    #[arg(long, default_value = "models/mnist-cnn.safetensors")]
    model: PathBuf,
    /// How a VAE reads an image
    #[arg(long, default_value = "mean")]
    inference: InferenceName,
    /// Draws that one answer of a sampling VAE averages
    #[arg(long, default_value_t = 1)]
    samples: usize,
    /// Draws over which an attack on a sampling VAE takes the mean loss
    #[arg(long, default_value_t = EOT)]
    eot: usize,
    /// Which attack
    #[arg(long, default_value = "linf")]
    attack: AttackName,
    /// Which norm apgd (linf when not given), strongest (l2) and hopskipjump (l2) work in: linf, l1 or l2
    #[arg(long)]
    norm: Option<Norm>,
    /// Which step the L1 attack takes
    #[arg(long, default_value = "published")]
    l1_form: Form,
    /// Which loss apgd descends: ce, the cross-entropy; dlr, the difference of logits ratio; or margin, that between logits
    #[arg(long, default_value = "ce")]
    loss: LossKind,
    /// How many runs apgd makes, from different starts, while none has succeeded
    #[arg(long, default_value_t = 1)]
    restarts: usize,
    /// Keep to a budget, or seek the smallest that succeeds; L-BFGS seeks unless told otherwise
    #[arg(long)]
    mode: Option<Mode>,
    /// The budget, above 0: the most that a pixel may change (linf, 0.3 when not given), the most that all pixels may
    /// change together (l1, 40); with --mode min the first to be tried
    #[arg(long)]
    epsilon: Option<f32>,
    /// L-BFGS's weight of the loss, above 0 (0.1 when not given); with --mode min the first to be tried
    #[arg(long)]
    c: Option<f32>,
    /// How many steps (of each round of a search); iterations of each minimisation of L-BFGS; 40 when not given. Of the Square
    /// Attack the queries, 1000 when not given
    #[arg(long)]
    steps: Option<usize>,
    /// How far a step goes in the attack's norm; 2.5 epsilon / steps when not given
    #[arg(long)]
    alpha: Option<f32>,
    /// Probability of the false label that counts as success, at least 0 and below 1
    #[arg(long, default_value_t = 0.0)]
    confidence: f32,
    /// Stop at the first success
    #[arg(long)]
    early_stop: bool,
    /// Start at a random point of the ball, drawn with this seed (linf, l1)
    #[arg(long)]
    seed: Option<u64>,
    /// An attacked image counts as valid with an L2 norm of at most this (1.5 when not given)
    #[arg(long)]
    valid: Option<f64>,
    /// The network counts as confident from this probability on (0.8 when not given)
    #[arg(long)]
    confident: Option<f64>,
    /// test:A..B of the test set, sample:N or sample:A..B of the digits that the page ships
    #[arg(long, default_value = "test:0..100")]
    images: images::Images,
    /// The label to aim at: next (the true one plus 1), any wrong one, or a number
    #[arg(long, default_value = "next")]
    target: images::Target,
    /// Prints one JSON object an image instead of a table
    #[arg(long)]
    json: bool,
    /// Writes original, adversarial image and magnified perturbation as PNG into this folder
    #[arg(long)]
    save: Option<PathBuf>,
    #[command(flatten)]
    data: Data,
}

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
struct Study {
    #[command(subcommand)]
    command: Option<StudyCommand>,
    /// Which data set; all whose images are there when none is named
    #[arg(long)]
    dataset: Option<Dataset>,
    /// How many test images of each data set
    #[arg(long, default_value_t = 100)]
    images: usize,
    /// Weights files; all shipped networks, with those of other seeds, when none is given
    #[arg(long, num_args = 1..)]
    models: Vec<PathBuf>,
    /// Which attacks
    #[arg(long, value_delimiter = ',', default_value = "linf,l1,lbfgs")]
    attacks: Vec<AttackName>,
    /// Budgets in place of the usual ones: linf=0.05,0.1 l1=10,20
    #[arg(long, num_args = 1.., value_parser = native::study::parse_budgets)]
    budgets: Vec<(Method, Vec<f32>)>,
    /// Start the iterative attacks at random points of the ball, drawn with this seed
    #[arg(long)]
    seed: Option<u64>,
    /// Draws over which an attack on a sampling VAE takes the mean loss
    #[arg(long, default_value_t = EOT)]
    eot: usize,
    /// The folder of records and report; the same command goes on with what it finds there
    #[arg(long, default_value = "study")]
    out: PathBuf,
    /// Make one part of the work only: 0/4 is the first of four
    #[arg(long)]
    shard: Option<Shard>,
    /// How many parts there are, where a Kubernetes indexed job (or a Slurm array) says which one this is
    #[arg(long, conflicts_with = "shard")]
    shards: Option<usize>,
    #[command(flatten)]
    data: Data,
}

#[derive(Subcommand)]
enum StudyCommand {
    /// Joins the shards of a study and makes its report
    Merge {
        /// The folders of the shards
        #[arg(required = true)]
        folders: Vec<PathBuf>,
        /// Where to
        #[arg(long)]
        out: PathBuf,
        #[command(flatten)]
        data: Data,
    },
    /// Makes the report of a study again, or one of several studies of different data sets
    Report {
        /// Their folders
        #[arg(default_value = "study")]
        folders: Vec<PathBuf>,
        /// Where to; the first folder when not given
        #[arg(long)]
        out: Option<PathBuf>,
        /// Leaves out the figure that shows faces, so that the report may be passed on
        #[arg(long)]
        without_faces: bool,
        #[command(flatten)]
        data: Data,
    },
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum InferenceName {
    /// Through the mean of the latent vector
    Mean,
    /// Through draws of it
    Sampled,
}

#[derive(Clone, Copy, ValueEnum)]
enum AttackName {
    /// Basic Iterative under L-infinity (Kurakin et al. 2016)
    Linf,
    /// Basic Iterative under L1
    L1,
    /// L-BFGS (Szegedy et al. 2014)
    Lbfgs,
    /// Auto-PGD (Croce & Hein 2020, 2021), under the norm of --norm
    Apgd,
    /// The union of the strongest attacks there are, in order of cost, under the norm of --norm
    Strongest,
    /// Square Attack under L-infinity (Andriushchenko et al. 2020): uses no gradient, shows whether one is masked
    Square,
    /// HopSkipJump (Chen et al. 2020): sees the label alone; l2 or linf
    #[value(name = "hopskipjump")]
    HopSkipJump,
}

impl AttackName {
    /// The attack, in its published form and under the norm that is its default.
    fn method(self) -> Method {
        match self {
            Self::Linf => Method::Linf,
            Self::L1 => Method::L1(L1Form::Published),
            Self::Lbfgs => Method::Lbfgs,
            Self::Apgd => Method::Apgd(Norm::Linf),
            Self::Strongest => Method::Strongest(Norm::L2),
            Self::Square => Method::Square,
            Self::HopSkipJump => Method::HopSkipJump(Norm::L2),
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum Form {
    /// Dense steps, radial shrinking, as in Foolbox
    Published,
    /// Sparse steps, exact projection onto ball and box
    #[value(alias = "strong")]
    Sparse,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Mode {
    /// The budget as given
    Fixed,
    /// The smallest that succeeds
    Min,
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<()> {
    match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(s) => server::serve(&s.host, s.port, s.open, &s.data.data_dir),
        Command::Fetch { dataset: Dataset::Mnist, data, mirror } => fetch::fetch(&data.data_dir, &mirror),
        Command::Fetch { dataset: Dataset::Lfw, data, mirror } => fetch_lfw::fetch(&data.data_dir, &mirror),
        Command::Train(t) => train(t),
        Command::Attack(a) => attack_images(a),
        Command::Study(s) => study(s),
        Command::Bench { models, json } => bench::bench(&models, json),
        Command::Sample { first, data, out } => {
            sample::write_sample(&fetch::mnist(&data.data_dir, fetch::Split::Test)?, first, &out)
        }
    }
}

fn study(s: Study) -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let command = format!("cargo run --release -- {}", arguments.join(" "));
    match s.command {
        Some(StudyCommand::Merge { folders, out, data }) => {
            return native::study::merge(&folders, &out, &data.data_dir, &command);
        }
        Some(StudyCommand::Report { folders, out, without_faces, data }) => {
            let out = out.unwrap_or_else(|| folders[0].clone());
            return native::study::remake(&folders, &out, !without_faces, &data.data_dir, &command);
        }
        None => {}
    }
    let shard =
        Shard::find(s.shard, s.shards, |name| std::env::var(name).ok()).map_err(anyhow::Error::msg)?;
    native::study::study(&native::study::Options {
        dataset: s.dataset.map(|d| match d {
            Dataset::Mnist => &arch::MNIST,
            Dataset::Lfw => &arch::LFW,
        }),
        images: s.images,
        models: s.models,
        attacks: s.attacks.into_iter().map(AttackName::method).collect(),
        budgets: s.budgets,
        seed: s.seed,
        eot: s.eot,
        out: s.out,
        shard,
        data: s.data.data_dir,
        command,
    })
}

fn attack_images(a: Attack) -> Result<()> {
    let form = match a.l1_form {
        Form::Sparse => L1Form::Sparse,
        Form::Published => L1Form::Published,
    };
    let method = match a.attack.method() {
        Method::L1(_) => Method::L1(form),
        other => other,
    };
    let method = a.norm.map_or(Ok(method), |norm| method.under(norm))?;
    let (budget, other) = if method == Method::Lbfgs { (a.c, a.epsilon) } else { (a.epsilon, a.c) };
    if other.is_some() {
        bail!("--c is the weight of lbfgs; all other attacks have --epsilon");
    }
    let defaults = attack::Options::new(method);
    let attack = attack::Options {
        search: a.mode.map_or(defaults.search, |mode| mode == Mode::Min),
        budget: budget.unwrap_or(defaults.budget),
        steps: a.steps.unwrap_or(defaults.steps),
        alpha: a.alpha,
        loss: a.loss,
        restarts: a.restarts,
        confidence: a.confidence,
        early_stop: a.early_stop,
        seed: a.seed,
        ..defaults
    };
    native::attack::attack(&native::attack::Options {
        model: a.model,
        reading: match a.inference {
            InferenceName::Mean => Reading::Mean,
            InferenceName::Sampled => Reading::Sampled { samples: a.samples, eot: a.eot },
        },
        images: a.images,
        target: a.target,
        attack,
        valid: a.valid,
        confident: a.confident,
        json: a.json,
        save: a.save,
        data: a.data.data_dir,
    })
}

#[cfg(not(feature = "train"))]
fn train(t: Train) -> Result<()> {
    let arch = Arch::by_name(&t.network)?;
    let feature = if t.device == Device::Cuda { "cuda" } else { "train" };
    let rest: Vec<String> = std::env::args().skip(1).collect();
    bail!(
        "this build cannot train {} (candle takes minutes to compile, so it is left out by default). Type:\n  \
         cargo run --release --features {feature} -- {}",
        arch.name,
        rest.join(" ")
    )
}

#[cfg(feature = "train")]
fn train(t: Train) -> Result<()> {
    use candle_core::Device as Candle;
    use misread::arch::LFW;
    use misread::native::labelled::Labelled;
    use misread::native::lfw;
    use misread::train::recipe::recipe;

    let mut arch = Arch::by_name(&t.network)?;
    if let Some(latent) = t.latent {
        arch = arch.with_latent(latent)?;
    }
    let weights = [t.beta, t.label_weight.unwrap_or(1.0), t.rate.unwrap_or(1.0)];
    if weights.iter().any(|w| !(*w >= 0.0 && w.is_finite())) {
        bail!("--beta, --label-weight and --rate must be finite and not negative");
    }
    let read: [Labelled; 2] = if arch.dataset.name == LFW.name {
        let manifest = lfw::manifest(&t.data.data_dir, t.min_images)?;
        arch = arch.with_labels(&manifest.labels())?;
        let of = |split| lfw::load(&t.data.data_dir, &manifest, split);
        [of(lfw::Split::Train)?, of(lfw::Split::Test)?]
    } else {
        [
            fetch::mnist(&t.data.data_dir, fetch::Split::Train)?,
            fetch::mnist(&t.data.data_dir, fetch::Split::Test)?,
        ]
    };
    let mut recipe = recipe(arch);
    recipe.epochs = t.epochs.unwrap_or(recipe.epochs);
    recipe.batch = t.batch.unwrap_or(recipe.batch);
    recipe.rate = t.rate.unwrap_or(recipe.rate);
    recipe.label_weight = t.label_weight.unwrap_or(recipe.label_weight);
    let device = match t.device {
        Device::Cpu => Candle::Cpu,
        #[cfg(feature = "cuda")]
        Device::Cuda => Candle::new_cuda(0)?,
        #[cfg(not(feature = "cuda"))]
        Device::Cuda => bail!("this build has no CUDA; build it with --features cuda"),
    };
    // A resumed training ends with the weights of an uninterrupted one: that is the command to write down.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--resume").collect();
    let feature = if t.device == Device::Cuda { "cuda" } else { "train" };
    let options = misread::train::Options {
        arch,
        recipe,
        seed: t.seed,
        beta: t.beta,
        resume: t.resume,
        min_images: (arch.dataset.name == LFW.name).then_some(t.min_images),
        device,
        out: t.out.unwrap_or_else(|| format!("models/{}.safetensors", arch.name).into()),
        command: format!("cargo run --release --features {feature} -- {}", arguments.join(" ")),
    };
    misread::train::train(&options, &read[0], &read[1])
}
