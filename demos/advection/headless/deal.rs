//! Fields on their way between rank 0, which has them whole, and the ranks, which have parts.

use advection::{part::Part, pictures::Picture, real::Real, strip::Strip};
use ndarray::Array2;
use parallel::Job;

use super::files::FileElement;

/// A field to begin with, on rank 0.
pub enum Initial<T> {
    /// A formula or a picture.
    Picture(Picture),
    /// Numbers from a file.
    Field(Array2<T>),
}

/// Gives every rank its rows of the field to begin with.
pub fn deal_field<T: FileElement>(
    job: &Job,
    slab: &mut Strip<T>,
    initial: Option<Initial<T>>,
    part: impl Fn(usize) -> Part,
) {
    let (nx, ny) = (slab.part().nx, slab.part().ny);
    let write = initial.map(|initial| {
        move |i: usize, row: &mut [T]| match &initial {
            Initial::Field(psi) => copy_row(psi, i, row),
            Initial::Picture(picture) => {
                for (j, cell) in row.iter_mut().enumerate() {
                    *cell = T::of(picture.amount((i, j), (nx, ny)));
                }
            }
        }
    });
    let rows = deal(job, ny, |rank| part(rank).own.collect(), write);
    for (i, row) in rows.chunks_exact(ny).enumerate() {
        slab.edit_row(i, |cells| cells.copy_from_slice(row));
    }
}

/// Gives every rank the Courant numbers of its rows, halo included.
pub fn deal_flow<T: FileElement>(
    job: &Job,
    slab: &mut Strip<T>,
    courant: Option<[Array2<T>; 2]>,
    part: impl Fn(usize) -> Part,
) {
    let ny = slab.part().ny;
    let rows = |rank: usize| {
        let part = part(rank);
        (0..part.rows()).map(|g| part.global(g)).collect()
    };
    let (x, y) = courant.map(<[_; 2]>::into).unzip();
    let write = |faces: Option<Array2<T>>| {
        faces.map(|faces| move |i: usize, row: &mut [T]| copy_row(&faces, i, row))
    };
    let (x, y) = (deal(job, ny, rows, write(x)), deal(job, ny, rows, write(y)));
    let (mut x, mut y) = (x.chunks_exact(ny), y.chunks_exact(ny));
    // The slab asks for its rows in the order in which they were dealt.
    let next = |faces: &mut std::slice::ChunksExact<'_, T>, row: &mut [T]| {
        if let Some(dealt) = faces.next() {
            row.copy_from_slice(dealt);
        }
    };
    slab.set_flow(|_, row| next(&mut x, row), |_, row| next(&mut y, row));
}

fn copy_row<T: Copy>(array: &Array2<T>, i: usize, row: &mut [T]) {
    row.iter_mut().zip(array.row(i)).for_each(|(to, from)| *to = *from);
}

/// Sends every rank the rows of the grid that `rows` names for it; `write` gives them, on rank 0.
fn deal<T: Real>(
    job: &Job,
    ny: usize,
    rows: impl Fn(usize) -> Vec<usize>,
    write: Option<impl Fn(usize, &mut [T])>,
) -> Vec<T> {
    let mut own = vec![T::ZERO; rows(job.rank()).len() * ny];
    let Some(write) = write else {
        job.receive(0, &mut own);
        return own;
    };
    let fill = |rank: usize, buffer: &mut [T]| {
        for (i, row) in rows(rank).into_iter().zip(buffer.chunks_exact_mut(ny)) {
            write(i, row);
        }
    };
    for rank in 1..job.size() {
        let mut buffer = vec![T::ZERO; rows(rank).len() * ny];
        fill(rank, &mut buffer);
        job.send(rank, &buffer);
    }
    fill(0, &mut own);
    own
}

/// Brings the field to rank 0; empty on the others.
pub fn collect<T: FileElement>(job: &Job, slab: &Strip<T>, part: impl Fn(usize) -> Part) -> Vec<T> {
    let (nx, ny) = (slab.part().nx, slab.part().ny);
    let own: Vec<T> =
        (0..slab.part().own.len()).flat_map(|i| slab.row(i).iter().copied()).collect();
    if !job.is_root() {
        job.send(0, &own);
        return Vec::new();
    }
    let mut all = own;
    all.resize(nx * ny, T::ZERO);
    for rank in 1..job.size() {
        let rows = part(rank).own;
        job.receive(rank, &mut all[rows.start * ny..rows.end * ny]);
    }
    all
}
