//! The study as its users call it: interrupted, in shards, merged, reported.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use misread::attack::Options;
use misread::classifier::{Inference, Subject};
use misread::datasets::MNIST;
use misread::judge::{Task, fooled, judge_all};
use misread::metrics::grade::Thresholds;
use misread::native::images::{Images, Target, read_weights};
use serde_json::Value;

#[test]
fn the_readme_says_what_the_reference_study_says() {
    let read =
        |path: &str| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let readme = read("README.md");
    let between = |what: &str| {
        let (_, rest) = readme.split_once(&format!("<!-- {what}: begin")).unwrap();
        let (_, rest) = rest.split_once("-->").unwrap();
        rest.split_once(&format!("<!-- {what}: end")).unwrap().0.trim().to_owned()
    };
    let found = between("what the study found");
    assert_eq!(found, read("models/study/summary.md").trim(), "scripts/readme-study puts it there");
    assert_eq!(found.lines().filter(|line| line.starts_with("* **H0")).count(), 8);
}

fn misread(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_misread"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    for name in ["SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "JOB_COMPLETION_INDEX"] {
        command.env_remove(name);
    }
    command
}

/// A study of a CNN and a VAE, on `images` digits.
fn study(out: &Path, images: usize, more: &[&str]) -> Command {
    let images = images.to_string();
    let mut command = misread(&["study", "--dataset", "mnist", "--images", &images]);
    command.args(["--models", "models/mnist-cnn.safetensors", "models/mnist-vae.safetensors", "--out"]);
    // The smallest changes in one norm, by a search that is soon done.
    command.arg(out).args(["--norms", "l2", "--gradients", "60"]).args(more);
    command
}

fn done(command: &mut Command) -> Output {
    let output = command.output().expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

fn refused(command: &mut Command) -> String {
    let output = command.output().expect("the program starts");
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

#[test]
fn a_study_records_every_attack_and_reports() {
    let folder = tempfile::tempdir().unwrap();
    let output = done(&mut study(folder.path(), 20, &[]));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("H0 on MNIST for the vanilla VAE") && said.contains("report.html"), "{said}");
    let text = read(folder.path(), "records.jsonl");
    let lines: Vec<Value> =
        text.lines().map(|l| serde_json::from_str(l).expect("an object a line")).collect();
    // 12 attacks, 3 searches and 4 checks; the sampling VAE is not searched, and has two checks less.
    assert_eq!(lines.len(), 20 * (19 + 19 + 14));
    for (i, line) in lines.iter().enumerate() {
        assert_eq!(line["job"], i);
        assert!(line["milliseconds"].is_null(), "records hold nothing that differs from run to run");
        let attack = line["attack"].as_str().unwrap();
        let norm = if attack == "square" { "linf" } else { attack };
        if let (Some(norm), Some(budget)) = (line[norm].as_f64(), line["budget"].as_f64()) {
            assert!(norm <= budget * (1.0 + 1e-5), "{line}");
        }
        let misread = line["clean_predicted"] != line["label"];
        assert!(!misread || line["skipped"].is_string(), "what is misread is not attacked: {line}");
    }
    assert_eq!(read(folder.path(), "timings.jsonl").lines().count(), lines.len());
    let csv = read(folder.path(), "records.csv");
    assert_eq!(csv.lines().count(), lines.len() + 1);
    let columns = csv.lines().next().unwrap().split(',').count();
    assert!(csv.lines().all(|l| l.split(',').count() == columns));
    let (md, html) = (read(folder.path(), "report.md"), read(folder.path(), "report.html"));
    for heading in ["What was decided", "The four inferences", "Table 2", "The checks"] {
        assert!(md.contains(heading) && html.contains(heading), "{heading}");
    }
    for check in ["without a gradient", "the best transfer", "survive rounding", "Without a budget"] {
        assert!(md.matches(check).count() > 1, "{check}");
    }
    assert!(!md.contains("NaN") && !html.contains("http://127"), "{md}");
    assert_eq!(html.matches("<svg").count(), 4, "examples, success, robust accuracy, grades");
    for figure in ["examples", "success", "robust", "high"] {
        let svg = read(folder.path(), &format!("figures/{figure}-mnist.svg"));
        assert!(svg.contains("<svg") && svg.trim_end().ends_with("</svg>"), "{figure}");
    }

    // The curves are those of the records: a half is fooled within the median.
    let curves: Value = serde_json::from_str(&read(folder.path(), "curves.json")).unwrap();
    for curve in curves["parts"][0]["curves"].as_array().unwrap() {
        let (network, norm) = (&curve["network"], curve["norm"].as_str().unwrap());
        let own = |l: &&Value| &l["network"] == network && l["inference"] == "mean";
        let sought = |l: &&Value| {
            l["purpose"] == "smallest" && l["norm"] == norm && l["clean_predicted"] == l["label"]
        };
        // Whatever attack towards that label came nearest.
        let nearest = |line: &Value| {
            let same = |l: &&Value| {
                ["index", "target"].iter().all(|key| l[key] == line[key]) && l["success"] == true
            };
            lines
                .iter()
                .filter(own)
                .filter(same)
                .map(|l| l[norm].as_f64().unwrap())
                .fold(f64::INFINITY, f64::min)
        };
        let mut far: Vec<f64> = lines.iter().filter(own).filter(sought).map(nearest).collect();
        far.sort_by(f64::total_cmp);
        let (median, told) = (far[far.len().div_ceil(2) - 1], curve["distances"][25].as_f64().unwrap());
        assert!((told - median).abs() < 1e-3 * median, "{network} {norm}: {told} beside {median}");
        assert_eq!(curve["attacked"], far.len());
    }

    // However little there is, no number that is none.
    for (images, attacks) in [(1, "linf"), (1, "lbfgs"), (2, "l1")] {
        let small = folder.path().join(format!("{images}-{attacks}"));
        done(&mut study(&small, images, &["--attacks", attacks]));
        let md = read(&small, "report.md");
        assert!(!md.contains("NaN") && !md.contains("| inf |"), "{images} {attacks}: {md}");
    }

    // The same command has nothing to do; another study is not mixed in.
    done(&mut study(folder.path(), 20, &[]));
    assert_eq!(read(folder.path(), "records.jsonl"), text);
    let said = refused(&mut study(folder.path(), 21, &[]));
    assert!(said.contains("holds another study") && said.contains("20 images of mnist"), "{said}");
    assert_eq!(read(folder.path(), "records.jsonl"), text);
}

#[test]
fn an_image_is_judged_alike_whoever_made_it() {
    let weights = read_weights(Path::new("models/mnist-vae.safetensors")).unwrap();
    let images = "sample:0..60".parse::<Images>().unwrap().load(&weights, Path::new("data")).unwrap();
    let options = Options { budget: 0.1, ..Options::of("linf").unwrap() };
    let mut shares = Vec::new();
    for inference in Inference::ALL {
        let mut subject = Subject::new(&weights, inference, 1, 4).unwrap();
        for image in &images {
            let goal = Target::Next.goal(image.label, 10);
            let thresholds = Thresholds::new(MNIST.validity);
            let task = Task::new(image, goal);
            let made = judge_all(&mut subject, &[task], &options, thresholds).unwrap().remove(0);
            if made.record.skipped.is_none() {
                assert_eq!(
                    fooled(&mut subject, image, &made.image, goal),
                    made.record.success,
                    "{:?}",
                    made.record
                );
                shares.extend(made.record.fresh);
            }
        }
    }
    // Some answers are split, so that it matters how they are counted.
    assert!(shares.iter().any(|s| (0.3..0.5).contains(s)), "{shares:?}");
}

#[test]
fn an_attack_whose_random_start_is_its_end_is_recorded() {
    let weights = read_weights(Path::new("models/mnist-cnn.safetensors")).unwrap();
    let images = "sample:0..100".parse::<Images>().unwrap().load(&weights, Path::new("data")).unwrap();
    let mut subject = Subject::new(&weights, Inference::Mean, 1, 1).unwrap();
    let mut at_once = 0;
    for name in ["linf", "square"] {
        let options = Options { budget: 1.0, early_stop: true, seed: Some(1), ..Options::of(name).unwrap() };
        for image in &images {
            for target in (0..10).filter(|t| *t != image.label) {
                let thresholds = Thresholds::new(MNIST.validity);
                let goal = Target::Label(target).goal(image.label, 10);
                // The start alone, so that this takes no time.
                let options = Options { steps: 1, ..options };
                let task = Task::new(image, goal);
                let made = judge_all(&mut subject, &[task], &options, thresholds).unwrap().remove(0);
                at_once += usize::from(made.record.success && made.record.steps == 0);
            }
        }
    }
    assert!(at_once > 0, "no start fools by itself: this tests nothing");
}

#[test]
fn a_study_that_is_killed_goes_on_and_shards_merge_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let [whole, killed, joined] = ["whole", "killed", "joined"].map(|n| folder.path().join(n));
    let attacks = ["--attacks", "linf,lbfgs", "--budgets", "linf=0.1,0.3"];
    done(&mut study(&whole, 12, &attacks));
    let records = read(&whole, "records.jsonl");
    let total = records.lines().count();

    // Killed whenever another few records are there, and once in the middle of a line.
    for kill_at in [1, total / 4, total / 2] {
        let mut child =
            study(&killed, 12, &attacks).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while std::fs::read_to_string(killed.join("records.jsonl")).map_or(0, |t| t.lines().count()) < kill_at
        {
            assert!(child.try_wait().unwrap().is_none_or(|status| status.success()));
            if child.try_wait().unwrap().is_some() {
                break;
            }
        }
        // SIGKILL, as a scheduler or the kernel sends it.
        let _ = child.kill();
        child.wait().unwrap();
        let so_far = read(&killed, "records.jsonl");
        let whole_lines = so_far.rfind('\n').map_or(0, |end| end + 1);
        assert!(records.starts_with(&so_far[..whole_lines]), "a beginning of the whole");
    }
    let so_far = read(&killed, "records.jsonl");
    std::fs::write(killed.join("records.jsonl"), &so_far[..so_far.len() - 40]).unwrap();
    done(&mut study(&killed, 12, &attacks));
    assert_eq!(read(&killed, "records.jsonl"), records);
    assert_eq!(read(&killed, "timings.jsonl").lines().count(), total);

    // Three shards, two named on the command line and one by a Slurm array.
    let shards: Vec<_> = (0..3).map(|i| folder.path().join(format!("shard-{i}"))).collect();
    for (i, shard) in shards.iter().enumerate().take(2) {
        done(&mut study(shard, 12, &[&attacks[..], &["--shard", &format!("{i}/3")]].concat()));
    }
    let merge = || {
        let mut command = misread(&["study", "merge"]);
        command.args(&shards[..]).arg("--out").arg(&joined);
        command
    };
    let said = refused(&mut merge());
    assert!(said.contains("shard-2 holds no study"), "{said}");
    let mut array = study(&shards[2], 12, &attacks);
    array.env("SLURM_ARRAY_TASK_ID", "3").env("SLURM_ARRAY_TASK_MIN", "1").env("SLURM_ARRAY_TASK_COUNT", "3");
    done(&mut array);
    let last = read(&shards[2], "records.jsonl");
    let cut = last.trim_end().rfind('\n').unwrap() + 1;
    std::fs::write(shards[2].join("records.jsonl"), &last[..cut]).unwrap();
    let said = refused(&mut merge());
    assert!(said.contains("run this shard again"), "{said}");
    std::fs::write(shards[2].join("records.jsonl"), &last).unwrap();
    done(&mut merge());
    assert_eq!(read(&joined, "records.jsonl"), records);
    assert_eq!(read(&joined, "records.csv"), read(&whole, "records.csv"));
    let without_command = |folder: &Path| -> String {
        read(folder, "report.md").lines().filter(|l| !l.contains("makes this report")).collect()
    };
    assert_eq!(without_command(&joined), without_command(&whole));

    // The report of whole studies can be made again, elsewhere too; each data set once.
    let again = folder.path().join("again");
    done(misread(&["study", "report"]).arg(&whole).arg("--out").arg(&again));
    assert_eq!(without_command(&again), without_command(&whole));
    assert_eq!(read(&again, "figures/success-mnist.svg"), read(&whole, "figures/success-mnist.svg"));
    let said = refused(misread(&["study", "report"]).args([&whole, &joined]).arg("--out").arg(&again));
    assert!(said.contains("another study of mnist"), "{said}");
    let said = refused(misread(&["study", "report"]).arg(&shards[0]));
    assert!(said.contains("holds a shard"), "{said}");

    let mut twice = misread(&["study", "merge"]);
    twice.args([&shards[0], &shards[1], &shards[1]]).arg("--out").arg(folder.path().join("x"));
    assert!(refused(&mut twice).contains("twice"));
}

#[test]
fn what_cannot_be_studied_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let damaged = out.join("damaged");
    done(&mut study(&damaged, 2, &["--attacks", "linf", "--budgets", "linf=0.2"]));
    let text = read(&damaged, "records.jsonl");
    let mut lines: Vec<&str> = text.lines().collect();
    lines[1] = "{\"job\":";
    std::fs::write(damaged.join("records.jsonl"), lines.join("\n") + "\n").unwrap();
    let said = refused(&mut study(&damaged, 2, &["--attacks", "linf", "--budgets", "linf=0.2"]));
    assert!(said.contains("line 2 of") && said.contains("damaged"), "{said}");

    // What an older version recorded is said to be that.
    let old = out.join("old");
    std::fs::create_dir(&old).unwrap();
    std::fs::write(
        old.join("study.json"),
        "{\"plan\":{\"version\":4,\"parts\":[]},\"shard\":{\"index\":0,\"count\":1}}",
    )
    .unwrap();
    assert!(refused(&mut study(&old, 2, &[])).contains("not the head of a study of this version"));

    for (arguments, words) in [
        (&["--images", "0"][..], "not in 1..="),
        (&["--images", "10001"], "there are 10000"),
        (&["--budgets", "linf=7"], "out of range"),
        (&["--shard", "4/4"], "from 0 to 3"),
        (&["--shards", "4"], "which of the 4 shards?"),
        (&["--attacks", "l7"], "l7"),
        (&["--attacks", "square"], "as a check"),
        (&["--models", "models/lfw-cnn.safetensors"], "not trained on the data set"),
        (&["--budgets", "square=0.1"], "as a check"),
        (&["--models", "models/mnist-cnn.safetensors", "models/mnist-cnn.safetensors"], "rename a file"),
    ] {
        let said = refused(
            misread(&["study", "--dataset", "mnist", "--out"]).arg(out.join("refused")).args(arguments),
        );
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
}

/// A disk that is full, as far as the program can tell: files may not grow beyond a limit.
#[cfg(unix)]
#[test]
fn a_full_disk_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let [whole, full] = ["whole", "full"].map(|n| folder.path().join(n));
    let attacks = ["--attacks", "linf", "--budgets", "linf=0.2"];
    done(&mut study(&whole, 10, &attacks));
    let limited = study(&full, 10, &attacks);
    let mut shell = Command::new("sh");
    // Blocks of 512 bytes; with the signal ignored, a write fails as on a full disk.
    shell.args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$@\"", "sh"]).arg(limited.get_program());
    shell.args(limited.get_args()).current_dir(env!("CARGO_MANIFEST_DIR"));
    let said = refused(&mut shell);
    assert!(said.contains("what is recorded so far is kept"), "{said}");
    assert!(!read(&full, "records.jsonl").is_empty());
    done(&mut study(&full, 10, &attacks));
    assert_eq!(read(&full, "records.jsonl"), read(&whole, "records.jsonl"));
}
