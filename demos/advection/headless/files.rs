//! Fields in NumPy's files, for rank 0: read with every doubt removed, and written.

use std::{
    fs::{self, File},
    io::{self, BufReader, BufWriter, Read},
    path::{Path, PathBuf},
};

use advection::{pictures::Picture, real::Real};
use anyhow::{Context, bail};
use ndarray::{Array2, ArrayView2};
use ndarray_npy::{ViewElement, ViewNpyError, ViewNpyExt, WritableElement, WriteNpyExt};

/// Longest header of a .npy that is read, bytes; NumPy writes 118 for a plain array.
const MAX_HEADER: usize = 512;
/// Largest .png that is read, bytes.
const MAX_PNG: u64 = 64 << 20;

/// A number that a .npy may hold.
pub trait FileElement: Real + ViewElement + WritableElement {
    /// NumPy's name of the type, and the option that asks for it.
    const NAMES: (&str, &str);
}

impl FileElement for f32 {
    const NAMES: (&str, &str) = ("f4", "f32");
}

impl FileElement for f64 {
    const NAMES: (&str, &str) = ("f8", "f64");
}

/// Reads an array of `shape` from a .npy.
///
/// # Errors
/// Names the file and what is wrong with it: missing, too large, not a .npy, another type or shape, not finite.
pub fn read<T: FileElement>(path: &Path, shape: (usize, usize)) -> anyhow::Result<Array2<T>> {
    let name = path.display();
    let expected = shape.0 * shape.1 * size_of::<T>();
    let bytes = read_at_most(path, (expected + MAX_HEADER) as u64)?;
    check_header(&bytes).with_context(|| format!("{name} is not a .npy file"))?;
    let array = match ArrayView2::<T>::view_npy(&bytes) {
        Ok(view) => view.to_owned(),
        Err(ViewNpyError::WrongDescriptor(_)) => bail!(
            "{name} does not hold {} numbers: convert it, or choose another --precision than {}",
            T::NAMES.0,
            T::NAMES.1
        ),
        Err(ViewNpyError::WrongNdim(..)) => {
            bail!("{name} has not two dimensions, as --size asks for")
        }
        Err(error) => bail!("{name} is damaged: {error}"),
    };
    if array.dim() != shape {
        let (rows, columns) = array.dim();
        bail!("{name} is {rows} x {columns}, not {} x {} as --size asks for", shape.0, shape.1);
    }
    // NaN is not usable either.
    let usable = |value: &T| value.to_f64().abs() <= T::LARGEST;
    if let Some(((i, j), value)) = array.indexed_iter().find(|(_, value)| !usable(value)) {
        bail!("{name} holds {value} at [{i}, {j}], beyond {:e}", T::LARGEST);
    }
    Ok(array)
}

/// Refuses headers whose parsing could take more than a moment: too long ones, and deeply nested ones.
fn check_header(bytes: &[u8]) -> anyhow::Result<()> {
    let header = match bytes {
        [0x93, b'N', b'U', b'M', b'P', b'Y', 1, _, low, high, header @ ..] => {
            header.get(..usize::from(u16::from_le_bytes([*low, *high])))
        }
        [0x93, b'N', b'U', b'M', b'P', b'Y', 2 | 3, _, a, b, c, d, header @ ..] => {
            header.get(..u32::from_le_bytes([*a, *b, *c, *d]) as usize)
        }
        _ => bail!("it does not begin as one"),
    };
    let header = header.context("it is cut off")?;
    let brackets = header.iter().filter(|byte| b"([{".contains(*byte)).count();
    if MAX_HEADER < header.len() || 4 < brackets {
        bail!("its header is not that of a plain array");
    }
    Ok(())
}

/// Reads a picture as a field of `nx` times `ny` cells.
///
/// # Errors
/// Names the file and what is wrong with it.
pub fn read_picture(path: &Path, (nx, ny): (usize, usize)) -> anyhow::Result<Picture> {
    let bytes = read_at_most(path, MAX_PNG)?;
    Picture::read(io::Cursor::new(bytes), nx, ny)
        .with_context(|| format!("{} is not a picture that can be used", path.display()))
}

fn read_at_most(path: &Path, limit: u64) -> anyhow::Result<Vec<u8>> {
    let name = path.display();
    let file = File::open(path).with_context(|| format!("{name} cannot be opened"))?;
    let length = file.metadata().with_context(|| format!("{name} cannot be examined"))?.len();
    if limit < length {
        bail!("{name} has {length} bytes, more than the {limit} that --size leaves room for");
    }
    let mut bytes = Vec::with_capacity(length as usize);
    // A device or a growing file may hold more than it said.
    let read = BufReader::new(file).take(limit + 1).read_to_end(&mut bytes);
    read.with_context(|| format!("{name} cannot be read"))?;
    if limit < bytes.len() as u64 {
        bail!("{name} does not end after {limit} bytes, which is all that --size leaves room for");
    }
    Ok(bytes)
}

/// Writes an array of `shape`, in C order, as a .npy; the file appears whole or not at all.
///
/// # Errors
/// Names the file and what the system says.
pub fn write<T: FileElement>(
    path: &Path,
    shape: (usize, usize),
    values: &[T],
) -> anyhow::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let beside = PathBuf::from(beside);
    let written = write_all(&beside, shape, values).and_then(|()| Ok(fs::rename(&beside, path)?));
    written.with_context(|| format!("{} cannot be written", path.display()))
}

fn write_all<T: FileElement>(
    path: &Path,
    shape: (usize, usize),
    values: &[T],
) -> anyhow::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    ArrayView2::from_shape(shape, values)?.write_npy(&mut file)?;
    file.into_inner()?.sync_all()?;
    Ok(())
}
