use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::PathBuf,
};

use clap::{Args, ValueEnum};

use super::{Aligned, Csv, Expanded, Form, Json, Output};
use crate::problem::Usage;

/// Where results go, and in which form.
#[derive(Args)]
pub(in crate::query) struct Choice {
    /// In which form rows are printed
    #[arg(long, value_name = "FORM", value_enum, default_value_t = Format::Table)]
    format: Format,

    /// Prints each column of a row on a line of its own
    #[arg(short = 'x', long)]
    expanded: bool,

    /// Prints rows alone: no names above a table or CSV, no count below
    #[arg(long)]
    no_header: bool,

    /// What stands for null in a table
    #[arg(long, value_name = "TEXT", default_value = "NULL")]
    null: String,

    /// Writes to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Says nothing of statements that give no rows
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Csv,
    Json,
    Jsonl,
}

impl Choice {
    /// Opens the output.
    pub(in crate::query) fn open(self) -> Result<Output, Usage> {
        let Self { format, expanded, no_header, null, output, quiet } = self;
        if expanded && format != Format::Table {
            return Err(Usage("--expanded is a form of tables: leave it or --format out".into()));
        }
        // A table for a terminal is as wide as that, one for a file or a program as wide as it gets.
        let terminal = console::Term::stdout();
        let width = if output.is_none() { terminal.size_checked().map(|(_, columns)| columns) } else { None };
        let form = match format {
            Format::Table if expanded => Form::Expanded(Expanded::new(null, no_header)),
            Format::Table => Form::Aligned(Aligned::new(null, no_header, width)),
            Format::Csv => Form::Csv(Csv::new(no_header)),
            Format::Json => Form::Json(Json::array()),
            Format::Jsonl => Form::Json(Json::lines()),
        };
        let sink: Box<dyn Write> = match output {
            Some(path) => Box::new(
                File::create(&path).map_err(|error| Usage(format!("{} cannot be written: {error}", path.display())))?,
            ),
            None => Box::new(io::stdout()),
        };
        let tags_with_results = format == Format::Table;
        Ok(Output { sink: BufWriter::with_capacity(64 * 1024, sink), form, inside: false, quiet, tags_with_results })
    }
}
