//! What no engine on top of the parquet crate can go below: the needed columns decoded and dropped.
//!
//! ```text
//! decode_floor [--threads N] [--columns customer_id,order_ts,amount] FILE.parquet...
//! decode_floor --write TABLE.parquet
//! ```
//! The first form decodes the columns, row group by row group, on N threads. The second reads a finished customer table
//! into memory and measures writing it alone, as `tiercast summarize` writes it. Both print one JSON object.

use std::error::Error;
use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use arrow_select::concat::concat_batches;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};
use tiercast::report::tables::write_parquet;

type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Rows per batch: measured best of 1 Ki to 1 Mi, where the batches of three columns stay in the second-level cache.
const BATCH: usize = 8192;

/// What was asked for.
struct Request {
    threads: usize,
    columns: Vec<String>,
    write: Option<PathBuf>,
    files: Vec<PathBuf>,
}

fn main() -> Fallible<()> {
    let request = request(std::env::args().skip(1))?;
    let line = match &request.write {
        Some(table) => write(table)?,
        None => decode(&request)?,
    };
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}

fn request(mut words: impl Iterator<Item = String>) -> Fallible<Request> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let columns = ["customer_id", "order_ts", "amount"].map(String::from).to_vec();
    let mut request = Request { threads: cores, columns, write: None, files: Vec::new() };
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--threads" => request.threads = value()?.parse::<usize>()?.max(1),
            "--columns" => request.columns = value()?.split(',').map(String::from).collect(),
            "--write" => request.write = Some(value()?.into()),
            option if option.starts_with('-') => return Err(format!("no option {option}").into()),
            file => request.files.push(file.into()),
        }
    }
    if request.files.is_empty() == request.write.is_none() {
        return Err("give either files to decode, or --write TABLE.parquet".into());
    }
    Ok(request)
}

/// One row group of one file.
struct Task<'a> {
    path: &'a Path,
    metadata: ArrowReaderMetadata,
    row_group: usize,
}

fn decode(request: &Request) -> Fallible<serde_json::Value> {
    let began = Instant::now();
    let mut tasks = Vec::new();
    let mut compressed = 0;
    for path in &request.files {
        let metadata = ArrowReaderMetadata::load(&File::open(path)?, Default::default())?;
        for row_group in 0..metadata.metadata().num_row_groups() {
            compressed += needed_bytes(&metadata, row_group, &request.columns)?;
            tasks.push(Task { path, metadata: metadata.clone(), row_group });
        }
    }
    let next = AtomicUsize::new(0);
    let work = || -> Fallible<(usize, usize)> {
        let (mut rows, mut bytes) = (0, 0);
        while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
            // A file of its own: threads that share one would share its cursor.
            let file = File::open(task.path)?;
            let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, task.metadata.clone());
            let columns = request.columns.iter().map(String::as_str);
            let mask = ProjectionMask::columns(builder.parquet_schema(), columns);
            let batches = builder.with_projection(mask).with_row_groups(vec![task.row_group]);
            for batch in batches.with_batch_size(BATCH).build()? {
                let batch = black_box(batch?);
                rows += batch.num_rows();
                bytes += batch.get_array_memory_size();
            }
        }
        Ok((rows, bytes))
    };
    let sums: Vec<(usize, usize)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..request.threads).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .map(|t| t.join().unwrap_or_else(|_| Err("a thread panicked".into())))
            .collect::<Fallible<_>>()
    })?;
    let seconds = began.elapsed().as_secs_f64();
    let rows: usize = sums.iter().map(|s| s.0).sum();
    Ok(serde_json::json!({
        "columns": request.columns,
        "threads": request.threads,
        "rows": rows,
        "compressed_bytes": compressed,
        "decoded_bytes": sums.iter().map(|s| s.1).sum::<usize>(),
        "seconds": seconds,
        "rows_per_second": rows as f64 / seconds,
    }))
}

/// Bytes of the needed columns of a row group as they lie in the file.
fn needed_bytes(metadata: &ArrowReaderMetadata, row_group: usize, columns: &[String]) -> Fallible<i64> {
    let chunks = metadata.metadata().row_group(row_group).columns();
    let mut sum = 0;
    for name in columns {
        let chunk = chunks.iter().find(|chunk| chunk.column_path().string() == *name);
        sum += chunk.ok_or_else(|| format!("no column {name}"))?.compressed_size();
    }
    Ok(sum)
}

fn write(table: &Path) -> Fallible<serde_json::Value> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(table)?)?;
    let schema = builder.schema().clone();
    let batches = builder.build()?.collect::<Result<Vec<_>, _>>()?;
    let batch = concat_batches(&schema, &batches)?;
    drop(batches);
    let scratch = tempfile::NamedTempFile::new_in(
        table.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")),
    )?;
    let began = Instant::now();
    write_parquet(scratch.path(), &batch)?;
    let seconds = began.elapsed().as_secs_f64();
    Ok(serde_json::json!({
        "rows": batch.num_rows(),
        "columns": batch.num_columns(),
        "bytes": scratch.path().metadata()?.len(),
        "seconds": seconds,
        "rows_per_second": batch.num_rows() as f64 / seconds,
    }))
}
