//! The command line: what may be asked for, and whether it fits together. Reads no file.

use std::path::PathBuf;

use advection::{
    crew::MAX_THREADS,
    flows::Pattern,
    mpdata::{MAX_PASSES, Options, OptionsError},
    simd::{Level, LevelError},
    strip::Device,
};
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Most cells of a grid: 2 GiB of f64 per field, over all ranks.
const MAX_CELLS: usize = 1 << 28;
/// Most cells along a side.
const MAX_SIDE: usize = 1 << 16;

/// Fewest cells along a side that is measured, and most of a grid: 128 MiB of f64 per field.
const FEWEST_MEASURED: usize = 16;
const MAX_MEASURED: usize = 1 << 24;

const SHAPES: &str = "\
Files are NumPy's, C or Fortran order, f4 or f8 as --precision says, with the shapes and the staggering of PyMPDATA's
fields for a grid of NX times NY cells:
  psi        (NX, NY)      amounts in the cells; not negative unless --infinite-gauge or --passes 1
  courant-x  (NX + 1, NY)  on the faces before cell (i, j) along the first index; [NX] repeats [0]
  courant-y  (NX, NY + 1)  on the faces before cell (i, j) along the second index; [:, NY] repeats [:, 0]
The grid is periodic both ways and is dealt out along the first index, at least 1 row per rank with --passes 1, and one
more per further pass, or two with --non-oscillatory. The result is the same to the last bit for any number of ranks.
Two passes without --non-oscillatory want |Cx| + |Cy| of about 0.55 at most.

Without --headless the program is a demo of the kiosk, which starts it.";

/// Advects a field on a doubly periodic grid with MPDATA, over MPI ranks.
#[derive(Debug, Parser)]
#[command(name = "advection", version, after_help = SHAPES, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    /// What to do instead of advecting
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Compute and print one line instead of talking to the kiosk
    #[arg(long)]
    pub headless: bool,
    /// With the kiosk: so many cells along each side of a pixel; more than 1 is a race, as fast as the machine can
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=8), conflicts_with = "headless")]
    pub fine: u8,
    /// Time steps
    #[arg(long, default_value_t = 100)]
    pub steps: u64,
    /// Cells, written NXxNY
    #[arg(long, default_value = "512x512", value_parser = parse_size)]
    pub size: (usize, usize),
    /// Passes, the donor-cell pass included: 1 is upwind; PyMPDATA's n_iters
    #[arg(long, default_value_t = 2)]
    pub passes: usize,
    /// Limit the corrective fluxes: no new extrema
    #[arg(long)]
    pub non_oscillatory: bool,
    /// Corrective fluxes as on an infinite background: fields of any sign; two passes
    #[arg(long)]
    pub infinite_gauge: bool,
    /// The numbers that are computed with
    #[arg(long, value_enum, default_value_t = Precision::F64)]
    pub precision: Precision,
    /// The field to begin with: cone, gaussian, board, pipe, a .png, or a .npy
    #[arg(long, default_value = "gaussian")]
    pub initial: String,
    /// The flow, if there are no files of Courant numbers
    #[arg(long, value_enum, default_value_t = FlowName::Translation)]
    pub flow: FlowName,
    /// Courant numbers along the first index, a .npy
    #[arg(long, requires = "courant_y", conflicts_with = "flow")]
    pub courant_x: Option<PathBuf>,
    /// Courant numbers along the second index, a .npy
    #[arg(long, requires = "courant_x")]
    pub courant_y: Option<PathBuf>,
    /// Where the field is written in the end, a .npy
    #[arg(long)]
    pub output: Option<PathBuf>,
    /// What computes: a GPU or the processor; by default a GPU where there is one and it computes in single precision
    #[arg(long, value_enum, default_value_t = DeviceName::Auto)]
    pub device: DeviceName,
    /// Cores of the processor that each rank computes with, the same bits with any number; by default 1, and with the kiosk
    /// those of the machine that no other rank has
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=MAX_THREADS as i64))]
    pub threads: Option<u16>,
    /// Instructions to use; the widest by default, the same bits with all
    #[arg(long, value_name = "baseline|avx2|avx512")]
    pub simd: Option<String>,
}

/// What the program does besides.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Measure this computer, its processor and its GPU, and print one JSON object
    Bench(MeasureArguments),
}

/// What is measured.
#[derive(Debug, Args)]
pub struct MeasureArguments {
    /// Cells, written NXxNY; may be given several times
    #[arg(long = "size", value_name = "NXxNY", default_values = ["512x512", "1024x1024"], value_parser = parse_measured_size)]
    pub sizes: Vec<(usize, usize)>,
    /// Time of one measurement, s
    #[arg(long, default_value_t = 0.5, value_parser = parse_seconds)]
    pub seconds: f64,
    /// How often each is measured
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub repeats: u16,
    /// What the GPU's memory can do at most by its data sheet, GB/s
    #[arg(long, value_parser = parse_bandwidth)]
    pub peak_gb_s: Option<f64>,
    /// What is measured: both, or one of them
    #[arg(long, value_enum, default_value_t = DeviceName::Auto)]
    pub device: DeviceName,
}

/// The numbers that are computed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Precision {
    /// Single precision
    F32,
    /// Double precision
    F64,
}

/// What computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DeviceName {
    /// A GPU if there is one and the numbers are f32
    Auto,
    /// The processor
    Cpu,
    /// A GPU
    Gpu,
}

impl DeviceName {
    /// Whether a GPU is to be looked for.
    pub fn wants_gpu(self) -> bool {
        self != DeviceName::Cpu
    }

    /// Whether it is an error if there is none.
    pub fn must_be_gpu(self) -> bool {
        self == DeviceName::Gpu
    }

    /// Whether the processor is wanted.
    pub fn wants_processor(self) -> bool {
        self != DeviceName::Gpu
    }
}

/// A flow that needs no files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FlowName {
    /// A vortex that turns round and undoes what it has done
    Swirl,
    /// Solid-body rotation of a disc
    Rotation,
    /// The same velocity everywhere
    Translation,
}

impl FlowName {
    /// The flow's pattern.
    pub fn pattern(self) -> Pattern {
        match self {
            FlowName::Swirl => Pattern::Swirl,
            FlowName::Rotation => Pattern::Rotation,
            FlowName::Translation => Pattern::Translation,
        }
    }
}

impl Arguments {
    /// The member of the MPDATA family.
    ///
    /// # Errors
    /// Names the options that do not fit together.
    pub fn options(&self) -> Result<Options, OptionsError> {
        let options = Options {
            passes: self.passes.min(MAX_PASSES + 1),
            infinite_gauge: self.infinite_gauge,
            non_oscillatory: self.non_oscillatory,
        };
        options.check().map(|()| options)
    }

    /// What computes.
    pub fn device(&self) -> Device {
        match self.device {
            // GPUs such as a Jetson's take 32 times as long for f64.
            DeviceName::Auto if self.headless && self.precision == Precision::F64 => Device::Cpu,
            DeviceName::Auto => Device::Auto,
            DeviceName::Cpu => Device::Cpu,
            DeviceName::Gpu => Device::Gpu,
        }
    }

    /// The instructions to use.
    ///
    /// # Errors
    /// If this processor does not have them.
    pub fn level(&self) -> Result<Level, LevelError> {
        self.simd.as_deref().map_or(Ok(Level::widest()), str::parse)
    }
}

fn parse_size(text: &str) -> Result<(usize, usize), String> {
    let sides = text.split_once('x').and_then(|(x, y)| Some((x.parse().ok()?, y.parse().ok()?)));
    let Some((nx, ny)): Option<(usize, usize)> = sides else {
        return Err("write NXxNY, such as 512x512".into());
    };
    let fits = (1..=MAX_SIDE).contains(&nx) && (1..=MAX_SIDE).contains(&ny);
    if !fits || MAX_CELLS < nx * ny {
        return Err(format!("a side has 1 to {MAX_SIDE} cells, a grid at most {MAX_CELLS}"));
    }
    Ok((nx, ny))
}

/// A grid on which every scheme can be measured; not so large that its fields and a copy would fill a small computer.
fn parse_measured_size(text: &str) -> Result<(usize, usize), String> {
    let (nx, ny) = parse_size(text)?;
    if nx < FEWEST_MEASURED || ny < FEWEST_MEASURED || MAX_MEASURED < nx * ny {
        return Err(format!(
            "a side has at least {FEWEST_MEASURED} cells here, a grid at most {MAX_MEASURED}"
        ));
    }
    Ok((nx, ny))
}

fn parse_seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.0..=60.0).contains(seconds));
    seconds.ok_or_else(|| "write 0 to 60".into())
}

fn parse_bandwidth(text: &str) -> Result<f64, String> {
    let bandwidth = text.parse().ok().filter(|bandwidth| (0.1..=1e6).contains(bandwidth));
    bandwidth.ok_or_else(|| "write GB/s, such as 25.6".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        <Arguments as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn sizes_are_bounded() {
        assert_eq!(parse_size("65536x4096"), Ok((65536, 4096)));
        for text in ["", "512", "0x4", "4x0", "65536x65536", "99999999999x1", "-1x3", "3x4x5"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
        assert_eq!(parse_measured_size("16x16"), Ok((16, 16)));
        for text in ["15x16", "65536x4096", "x"] {
            assert!(parse_measured_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_measured_is_bounded() {
        for text in ["-1", "61", "nan", "inf", "x", ""] {
            assert!(parse_seconds(text).is_err(), "{text}");
            assert!(parse_bandwidth(&format!("-{text}")).is_err(), "{text}");
        }
        assert!(Arguments::try_parse_from(["advection", "--headless", "bench"]).is_err());
        let arguments = Arguments::try_parse_from(["advection", "bench"]).unwrap();
        let Some(Command::Bench(measured)) = arguments.command else { panic!("not bench") };
        assert_eq!(measured.sizes, [(512, 512), (1024, 1024)]);
    }
}
