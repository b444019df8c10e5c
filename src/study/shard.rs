//! Which part of a study a process makes.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Part `index` of `count`: every `count`-th group of attacks that are made at once, from `index` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// From 0 on.
    pub index: usize,
    pub count: usize,
}

impl Shard {
    /// All of it.
    pub const WHOLE: Self = Self { index: 0, count: 1 };

    /// Whether the group of this number is one of its own.
    pub fn has(self, group: usize) -> bool {
        Self::of(group, self.count) == self.index
    }

    /// Which of `count` shards makes the group of this number.
    pub fn of(group: usize, count: usize) -> usize {
        group % count
    }

    fn new(index: usize, count: usize) -> Result<Self, String> {
        if index < count {
            return Ok(Self { index, count });
        }
        Err(format!("there is no shard {index} of {count}: they count from 0 to {}", count.saturating_sub(1)))
    }

    /// The shard that was asked for, or that the environment names: a task of a Slurm array knows its place and how many
    /// there are; a pod of an indexed Kubernetes job knows its place, and `count` says how many there are.
    ///
    /// # Errors
    /// In words, when the environment does not fit.
    pub fn find(
        asked: Option<Self>,
        count: Option<usize>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        if let Some(shard) = asked {
            return Ok(shard);
        }
        let number = |name: &str| {
            variable(name)
                .map(|text| {
                    text.trim().parse::<usize>().map_err(|_| format!("{name} is '{text}', no number"))
                })
                .transpose()
        };
        if let Some(id) = number("SLURM_ARRAY_TASK_ID")? {
            let first = number("SLURM_ARRAY_TASK_MIN")?.unwrap_or(0);
            let step = number("SLURM_ARRAY_TASK_STEP")?.unwrap_or(1).max(1);
            let tasks = match count {
                Some(count) => Some(count),
                None => number("SLURM_ARRAY_TASK_COUNT")?,
            };
            let tasks = tasks.ok_or("SLURM_ARRAY_TASK_COUNT is missing: say --shards")?;
            return Self::new(id.saturating_sub(first) / step, tasks);
        }
        match (number("JOB_COMPLETION_INDEX")?, count) {
            (Some(index), Some(count)) => Self::new(index, count),
            (Some(_), None) => {
                Err("JOB_COMPLETION_INDEX says which shard this is; say how many there are with --shards"
                    .into())
            }
            (None, Some(1) | None) => Ok(Self::WHOLE),
            (None, Some(count)) => Err(format!(
                "which of the {count} shards? Neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX says; try --shard 0/{count}"
            )),
        }
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        let (index, count) = parts.ok_or_else(|| format!("'{text}' is not like 0/4, the first of four"))?;
        Self::new(index, count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_part_the_work() {
        let of = |text: &str| text.parse::<Shard>();
        let all: Vec<Shard> = (0..3).map(|i| of(&format!("{i}/3")).unwrap()).collect();
        assert!((0..50).all(|group| all.iter().filter(|s| s.has(group)).count() == 1));
        assert!(of("3/3").unwrap_err().contains("from 0 to 2"));
        for wrong in ["", "1", "a/2", "-1/2", "0/0"] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_environment_names_a_shard() {
        let find = |asked, count, pairs: &[(&str, &str)]| {
            let variable = |name: &str| pairs.iter().find(|p| p.0 == name).map(|p| p.1.to_owned());
            Shard::find(asked, count, variable)
        };
        assert_eq!(find(None, None, &[]), Ok(Shard::WHOLE));
        let slurm = [
            ("SLURM_ARRAY_TASK_ID", "5"),
            ("SLURM_ARRAY_TASK_MIN", "1"),
            ("SLURM_ARRAY_TASK_STEP", "2"),
            ("SLURM_ARRAY_TASK_COUNT", "4"),
        ];
        assert_eq!(find(None, None, &slurm), Ok(Shard { index: 2, count: 4 }));
        let asked = Shard { index: 1, count: 9 };
        assert_eq!(find(Some(asked), None, &slurm), Ok(asked));
        let pod = [("JOB_COMPLETION_INDEX", "3")];
        assert_eq!(find(None, Some(8), &pod), Ok(Shard { index: 3, count: 8 }));
        assert!(find(None, None, &pod).unwrap_err().contains("--shards"));
        assert!(find(None, Some(3), &pod).unwrap_err().contains("no shard 3 of 3"));
        assert!(find(None, Some(3), &[]).unwrap_err().contains("--shard 0/3"));
        assert!(find(None, None, &[("SLURM_ARRAY_TASK_ID", "x")]).unwrap_err().contains("'x'"));
    }
}
