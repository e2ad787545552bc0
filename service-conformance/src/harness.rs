//! [`run`]: one trial for every backend, way in and case, and a table of what came of them.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use libtest_mimic::{Arguments, Completion, FormatSetting, Trial};
use tokio::runtime::{Builder, Runtime};

use crate::{Backend, Case, Entrance, Suite, cases};

/// How long a case may take; one that hangs is one that fails.
const CASE_TIME_MAX: Duration = Duration::from_secs(120);

/// Tries every case on every backend by every way in, prints what came of it, and returns the code to end with.
///
/// It takes the arguments of the program as tests do: a filter, `--list`, `--skip`, `--test-threads`. To be called from
/// `main` of a test with `harness = false`. Cases that a backend or a way in cannot try show as ignored, and the reasons
/// stand below the table.
#[must_use]
pub fn run(backends: Vec<Arc<dyn Backend>>, entrances: Vec<Arc<dyn Entrance>>) -> ExitCode {
    let arguments = Arguments::from_args();
    // Tasks of one case must really run at the same time, even on a machine with a single core.
    let runtime = match Builder::new_multi_thread().worker_threads(4).enable_all().build() {
        Ok(runtime) => Arc::new(runtime),
        Err(error) => return refuse(&format!("the runtime cannot be started: {error}")),
    };
    let tally = Arc::new(Mutex::new(Tally::default()));
    let mut trials = Vec::new();
    for backend in &backends {
        for entrance in &entrances {
            for case in cases() {
                let suite = Suite::new(backend.clone(), entrance.clone());
                let reason = case.not_applicable(&**backend).or_else(|| entrance.not_applicable(&case));
                let row = (backend.name().to_owned(), entrance.name().to_owned());
                trials.push(trial(row, case, suite, reason, runtime.clone(), tally.clone()));
            }
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    if !arguments.list && arguments.format != Some(FormatSetting::Json) {
        print_table(&tally.lock().unwrap_or_else(PoisonError::into_inner));
    }
    conclusion.exit_code()
}

#[allow(clippy::print_stderr, reason = "there is no other way to say why nothing was tried")]
fn refuse(why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::FAILURE
}

/// Backend and way in.
type Row = (String, String);

/// What came of the trials.
#[derive(Default)]
struct Tally {
    rows: BTreeMap<Row, Counts>,
    /// By reason and row: the cases that were left out.
    left_out: BTreeMap<&'static str, BTreeMap<&'static str, Vec<Row>>>,
}

#[derive(Default)]
struct Counts {
    passed: usize,
    failed: usize,
    not_applicable: usize,
}

fn trial(
    row: Row,
    case: Case,
    suite: Suite,
    reason: Option<&'static str>,
    runtime: Arc<Runtime>,
    tally: Arc<Mutex<Tally>>,
) -> Trial {
    let name = format!("{}/{}/{}", row.0, row.1, case.name());
    Trial::ignorable_test(name, move || {
        let outcome = reason.is_none().then(|| try_case(&runtime, case.clone(), suite));
        let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = tally.rows.entry(row.clone()).or_default();
        match (&outcome, reason) {
            (Some(Ok(())), _) => counts.passed += 1,
            (Some(Err(_)), _) => counts.failed += 1,
            (None, reason) => {
                counts.not_applicable += 1;
                tally.left_out.entry(reason.unwrap_or_default()).or_default().entry(case.name()).or_default().push(row);
            }
        }
        drop(tally);
        match outcome {
            None => Ok(Completion::ignored_with(reason.unwrap_or_default())),
            Some(outcome) => outcome.map(|()| Completion::Completed).map_err(Into::into),
        }
    })
}

/// Tries a case in a task of its own, so that a panic or a standstill is its failure and not the run's.
fn try_case(runtime: &Runtime, case: Case, suite: Suite) -> Result<(), String> {
    let task = runtime.spawn(async move { tokio::time::timeout(CASE_TIME_MAX, case.run(suite)).await });
    match runtime.block_on(task) {
        Ok(Ok(Ok(()))) => Ok(()),
        Ok(Ok(Err(failed))) => Err(failed.to_string()),
        Ok(Err(_)) => Err(format!("the case took more than {CASE_TIME_MAX:?}")),
        Err(error) => {
            let panic = error.try_into_panic();
            let text = panic.as_ref().ok().and_then(|panic| {
                panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied())
            });
            Err(format!("the case panicked: {}", text.unwrap_or("(no message)")))
        }
    }
}

#[allow(clippy::print_stdout, reason = "the table is what the run is for")]
fn print_table(tally: &Tally) {
    if tally.rows.is_empty() {
        return;
    }
    let width = |of: fn(&Row) -> &str, title: &str| {
        tally.rows.keys().map(|row| of(row).chars().count()).chain([title.len()]).max().unwrap_or(0)
    };
    let (backends, ways) = (width(|row| &row.0, "backend"), width(|row| &row.1, "way in"));
    println!("{:backends$} | {:ways$} | passed | failed | not applicable", "backend", "way in");
    println!("{:-<backends$}-|-{:-<ways$}-|--------|--------|---------------", "", "");
    for ((backend, way), counts) in &tally.rows {
        let Counts { passed, failed, not_applicable } = counts;
        println!("{backend:backends$} | {way:ways$} | {passed:6} | {failed:6} | {not_applicable:14}");
    }
    for (reason, left_out) in &tally.left_out {
        println!("\nnot applicable: {reason}");
        // Cases that are left out in the same places stand together.
        let mut places: BTreeMap<Vec<&Row>, Vec<&str>> = BTreeMap::new();
        for (case, rows) in left_out {
            let mut rows: Vec<&Row> = rows.iter().collect();
            rows.sort_unstable();
            places.entry(rows).or_default().push(case);
        }
        for (rows, cases) in places {
            let rows: Vec<String> = rows.iter().map(|(backend, way)| format!("{backend} / {way}")).collect();
            println!("  {}\n    in {}", cases.join(", "), rows.join("; "));
        }
    }
    println!();
}
