//! What is carried round: amounts from 0 to 1 on the grid, from a picture, a file, or a formula.

use std::io::{BufRead, Seek};

use image::{
    GrayImage, ImageError, ImageFormat, ImageReader, Limits,
    imageops::{self, FilterType},
};

/// Largest width and height of a picture that is read, pixels.
pub const MAX_PICTURE_SIDE: u32 = 8192;
/// Most memory that decoding a picture may take, bytes.
const MAX_DECODED: u64 = 512 << 20;

/// Our drawing of a pipe, after Magritte.
const PIPE: &[u8] = include_bytes!("pictures/pipe.png");

/// A field to begin with.
pub enum Picture {
    /// Grey values on the grid: `nx` wide, `ny` high.
    Grey(GrayImage),
    /// A cone of height 1 over a third of the shorter side.
    Cone,
    /// A Gaussian of height 1.
    Gaussian,
    /// A board of squares, eight along the shorter side.
    Board,
}

impl Picture {
    /// The pipe on a grid of `nx` times `ny` cells.
    ///
    /// # Errors
    /// If the program was built with a picture that is not a PNG.
    pub fn pipe(nx: usize, ny: usize) -> Result<Self, ImageError> {
        Self::read(std::io::Cursor::new(PIPE), nx, ny)
    }

    /// The luminance of a PNG, as large as it fits the grid in its own proportions; 0 beside it.
    ///
    /// # Errors
    /// If it is not a PNG, is cut off, or is larger than [`MAX_PICTURE_SIDE`].
    pub fn read(png: impl BufRead + Seek, nx: usize, ny: usize) -> Result<Self, ImageError> {
        let mut reader = ImageReader::with_format(png, ImageFormat::Png);
        let mut limits = Limits::default();
        limits.max_image_width = Some(MAX_PICTURE_SIDE);
        limits.max_image_height = Some(MAX_PICTURE_SIDE);
        limits.max_alloc = Some(MAX_DECODED);
        reader.limits(limits);
        let picture = reader.decode()?.into_luma8();

        let (nx, ny) = (nx as u32, ny as u32);
        if picture.dimensions() == (nx, ny) {
            return Ok(Picture::Grey(picture));
        }
        let (width, height) = fit(picture.dimensions(), (nx, ny));
        let picture = imageops::resize(&picture, width, height, FilterType::Triangle);
        let mut canvas = GrayImage::new(nx, ny);
        let (left, top) = ((nx - width) / 2, (ny - height) / 2);
        imageops::replace(&mut canvas, &picture, i64::from(left), i64::from(top));
        Ok(Picture::Grey(canvas))
    }

    /// The amount in cell `i`, `j` of a grid of `nx` times `ny`; `j` counts from the top of the picture.
    pub fn amount(&self, (i, j): (usize, usize), (nx, ny): (usize, usize)) -> f64 {
        let shorter = nx.min(ny) as f64;
        // Both formulas stand left of the centre, so that every flow moves them.
        let square = |k: usize, centre: f64| (k as f64 + 0.5 - centre).powi(2);
        let r2 = square(i, 0.35 * nx as f64) + square(j, 0.5 * ny as f64);
        match self {
            Picture::Grey(picture) => f64::from(picture.get_pixel(i as u32, j as u32).0[0]) / 255.0,
            Picture::Cone => (1.0 - r2.sqrt() / (shorter / 3.0)).max(0.0),
            Picture::Gaussian => libm::exp(-0.5 * r2 / (shorter / 9.0).powi(2)),
            Picture::Board => {
                let square = (ny.min(nx) / 8).max(1);
                if (i / square + j / square).is_multiple_of(2) { 0.85 } else { 0.08 }
            }
        }
    }
}

/// The largest size of `picture`'s proportions inside `room`, at least one pixel each way.
fn fit(picture: (u32, u32), room: (u32, u32)) -> (u32, u32) {
    let [pw, ph, rw, rh] = [picture.0, picture.1, room.0, room.1].map(u64::from);
    let (width, height) = if rw * ph <= rh * pw { (rw, rw * ph / pw) } else { (rh * pw / ph, rh) };
    (width.max(1) as u32, height.max(1) as u32)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn png(picture: &GrayImage) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn a_picture_of_the_grids_size_is_taken_pixel_by_pixel() {
        let picture = GrayImage::from_fn(6, 3, |x, y| image::Luma([(40 * x + y) as u8]));
        let read = Picture::read(Cursor::new(png(&picture)), 6, 3).unwrap();
        for (x, y, pixel) in picture.enumerate_pixels() {
            let amount = read.amount((x as usize, y as usize), (6, 3));
            assert_eq!(amount, f64::from(pixel.0[0]) / 255.0);
        }
    }

    #[test]
    fn another_picture_keeps_its_proportions_and_what_is_beside_it_is_empty() {
        let white = GrayImage::from_pixel(10, 10, image::Luma([255]));
        let read = Picture::read(Cursor::new(png(&white)), 80, 40).unwrap();
        let at = |i, j| read.amount((i, j), (80, 40));
        assert_eq!((at(19, 20), at(20, 0), at(59, 39), at(60, 20)), (0.0, 1.0, 1.0, 0.0));
    }

    #[test]
    fn a_picture_that_is_too_large_is_refused_before_it_is_decoded() {
        // The header of a PNG of 60000 x 60000 pixels; there is nothing behind it to decode.
        let mut bytes = png(&GrayImage::new(2, 2));
        bytes.truncate(33);
        bytes[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
        let crc = crc32(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&crc.to_be_bytes());
        let error = Picture::read(Cursor::new(bytes), 8, 8).err().unwrap();
        assert!(matches!(error, ImageError::Limits(_)), "{error:?}");
    }

    #[test]
    fn what_is_not_a_png_is_an_error() {
        let cut = &PIPE[..PIPE.len() / 2];
        assert!(Picture::read(Cursor::new(cut), 8, 8).is_err());
        assert!(Picture::read(Cursor::new(b"GIF89a"), 8, 8).is_err());
    }

    #[test]
    fn every_amount_is_between_nothing_and_one() {
        let size = (97, 41);
        for picture in
            [Picture::pipe(97, 41).unwrap(), Picture::Cone, Picture::Gaussian, Picture::Board]
        {
            let cells = (0..97).flat_map(|i| (0..41).map(move |j| (i, j)));
            let amounts: Vec<f64> = cells.map(|cell| picture.amount(cell, size)).collect();
            assert!(amounts.iter().all(|amount| (0.0..=1.0).contains(amount)));
            assert!(amounts.iter().any(|amount| 0.5 < *amount));
            assert!(amounts.iter().any(|amount| *amount < 0.1));
        }
    }

    /// The check sum of PNG chunks (PNG specification, annex D).
    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0_u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
            })
        })
    }
}
