//! A transaction's data out of its parts (MS-CIFS 2.2.4.34).

/// The data of one transaction as far as it has come.
///
/// Holds what came and reserves nothing ahead of it. Parts may come in any order; none may reach beyond the whole or
/// into another one.
///
/// ```
/// use mailslot::service::session::Assembly;
///
/// let mut assembly = Assembly::new(5, 16);
/// assert!(!assembly.put(5, 0, b"he")?);
/// assert!(assembly.put(5, 2, b"llo")?);
/// assert_eq!(assembly.into_bytes(), b"hello");
/// # Ok::<(), mailslot::service::session::AssemblyError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Assembly {
    total: usize,
    max_pieces: usize,
    have: usize,
    /// By place, neither overlapping nor touching.
    pieces: Vec<(usize, Vec<u8>)>,
}

/// Why a part cannot be one of this transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AssemblyError {
    /// It reaches beyond the whole.
    #[error("a part ends at byte {end} of a transaction with {total}")]
    Beyond {
        /// Where it ends.
        end: usize,
        /// Length of the whole.
        total: usize,
    },
    /// It overlaps another one, or came twice.
    #[error("two parts have the byte {at}")]
    Overlap {
        /// Where it begins.
        at: usize,
    },
    /// There are too many that do not join one another.
    #[error("more than {max} parts that do not join one another")]
    TooManyPieces {
        /// How many there may be.
        max: usize,
    },
}

impl Assembly {
    /// For `total` bytes, of which at most `max_pieces` may be apart from one another at a time.
    pub const fn new(total: u16, max_pieces: usize) -> Self {
        Self { total: total as usize, max_pieces, have: 0, pieces: Vec::new() }
    }

    /// Takes a part in, and says whether it was the last. `total` is what the part says of the whole, which may be less
    /// than was said before (MS-CIFS 2.2.4.34.1).
    ///
    /// # Errors
    /// The part fits neither the whole nor the other parts; the transaction is to be given up.
    pub fn put(&mut self, total: u16, displacement: u16, bytes: &[u8]) -> Result<bool, AssemblyError> {
        self.total = self.total.min(total.into());
        let start = usize::from(displacement);
        let end = start.saturating_add(bytes.len());
        let reach = self.pieces.last().map_or(0, |(at, piece)| at + piece.len()).max(end);
        if reach > self.total {
            return Err(AssemblyError::Beyond { end: reach, total: self.total });
        }
        if !bytes.is_empty() {
            self.insert(start, end, bytes)?;
        }
        Ok(self.have == self.total)
    }

    fn insert(&mut self, start: usize, end: usize, bytes: &[u8]) -> Result<(), AssemblyError> {
        let place = self.pieces.partition_point(|(at, _)| *at < start);
        if self.pieces.get(place).is_some_and(|(next, _)| *next < end) {
            return Err(AssemblyError::Overlap { at: start });
        }
        if let Some((at, before)) = place.checked_sub(1).and_then(|before| self.pieces.get_mut(before)) {
            let before_end = *at + before.len();
            if before_end > start {
                return Err(AssemblyError::Overlap { at: start });
            }
            if before_end == start {
                before.extend_from_slice(bytes);
                self.have += bytes.len();
                return Ok(());
            }
        }
        if self.pieces.len() >= self.max_pieces {
            return Err(AssemblyError::TooManyPieces { max: self.max_pieces });
        }
        self.pieces.insert(place, (start, bytes.to_vec()));
        self.have += bytes.len();
        Ok(())
    }

    /// Bytes held.
    pub const fn held(&self) -> usize {
        self.have
    }

    /// The data.
    pub fn into_bytes(self) -> Vec<u8> {
        let mut pieces = self.pieces.into_iter();
        let Some((_, mut all)) = pieces.next() else { return Vec::new() };
        for (_, piece) in pieces {
            all.extend_from_slice(&piece);
        }
        all
    }
}
