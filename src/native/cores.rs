//! Work that splits, on all cores.

use std::panic::AssertUnwindSafe;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, anyhow, ensure};

use super::progress;

/// How many threads work on so many items.
pub fn threads(items: usize) -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get()).min(items)
}

/// The most items that a thread takes at once: a progress bar moves by so many.
const SHARE: usize = 16;

/// Items in the shares that threads take, for [`on_all_cores`]: as large as lets every thread work, and no larger than is soon done.
pub fn shares<T>(items: &[T]) -> std::slice::Chunks<'_, T> {
    items.chunks(items.len().div_ceil(threads(items.len()).max(1)).clamp(1, SHARE))
}

/// Does work that may panic; a panic is an error in words then, and what else runs can end in peace.
///
/// # Errors
/// Those of `work`, and what it panicked with.
pub fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    std::panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it says no more");
        Err(anyhow!("a worker thread failed ({text})"))
    })
}

/// Calls `work` for every item, on all cores, each thread with its own copy of `subject` and the next item when it is
/// free, under a progress bar called `name`. The results have the order of the items; the first error ends the work.
///
/// # Errors
/// The first of `work`'s.
pub fn on_all_cores<I: Sync, S: Clone + Sync, T: Send>(
    name: &str,
    items: &[I],
    subject: &S,
    work: impl Fn(&mut S, &I) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let threads = threads(items.len());
    let bar = progress::bar(items.len() as u64, name);
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<Option<T>>> = Mutex::new(items.iter().map(|_| None).collect());
    let failure = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut subject = subject.clone();
                while let Some((i, item)) = {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    items.get(i).map(|item| (i, item))
                } {
                    match caught(|| work(&mut subject, item)) {
                        Ok(result) => {
                            if let Ok(mut results) = results.lock() {
                                results[i] = Some(result);
                            }
                        }
                        Err(error) => {
                            next.store(items.len(), Ordering::Relaxed);
                            if let Ok(mut failure) = failure.lock() {
                                failure.get_or_insert(error);
                            }
                        }
                    }
                    bar.inc(1);
                }
            });
        }
    });
    bar.finish_and_clear();
    if let Some(error) = failure.into_inner().ok().flatten() {
        return Err(error);
    }
    let results = results.into_inner().unwrap_or_default();
    let finished: Vec<T> = results.into_iter().flatten().collect();
    ensure!(finished.len() == items.len(), "a worker thread failed");
    Ok(finished)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_in_one_share_and_no_thread_takes_more_than_its_part() {
        for count in [0, 1, 2, 3, 15, 40, 500] {
            let items: Vec<usize> = (0..count).collect();
            assert_eq!(shares(&items).flatten().copied().collect::<Vec<_>>(), items);
            let part = count.div_ceil(threads(count).max(1));
            assert!(shares(&items).all(|share| share.len() <= part.min(SHARE)), "{count}");
        }
    }

    #[test]
    fn a_panic_in_a_worker_is_an_error_in_words() {
        let items: Vec<usize> = (0..20).collect();
        let work = |(): &mut (), &i: &usize| {
            assert!(i != 7, "seven is too much");
            Ok(i)
        };
        let error = on_all_cores("panic", &items, &(), work).unwrap_err().to_string();
        assert!(error.contains("a worker thread failed") && error.contains("seven is too much"), "{error}");
        assert_eq!(on_all_cores("none", &items[..7], &(), work).unwrap(), items[..7]);
    }
}
