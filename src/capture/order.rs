//! Numbers in the order of their last arrival: a linked list in a vector.

/// Marks the end of the list in [`Link`].
const NONE: u32 = u32::MAX;

/// Small numbers, each at most once, first in first out. All operations take constant time; the space is 8
/// bytes for each number up to the largest.
#[derive(Debug)]
pub(super) struct Order {
    links: Vec<Link>,
    first: u32,
    last: u32,
}

#[derive(Debug, Clone, Copy)]
struct Link {
    /// The number itself where it is not in the list.
    before: u32,
    after: u32,
}

impl Default for Order {
    fn default() -> Self {
        Self { links: Vec::new(), first: NONE, last: NONE }
    }
}

impl Order {
    /// The number that was moved to the end longest ago.
    pub(super) fn first(&self) -> Option<u32> {
        Some(self.first).filter(|first| *first != NONE)
    }

    pub(super) fn contains(&self, number: u32) -> bool {
        self.link(number).is_some_and(|link| link.before != number)
    }

    /// Puts `number` at the end, wherever it was.
    pub(super) fn push(&mut self, number: u32) {
        if self.last == number && self.contains(number) {
            return;
        }
        self.remove(number);
        while self.links.len() <= number as usize {
            let absent = u32::try_from(self.links.len()).unwrap_or(NONE);
            self.links.push(Link { before: absent, after: NONE });
        }
        let before = self.last;
        if let Some(link) = self.links.get_mut(number as usize) {
            *link = Link { before, after: NONE };
        }
        match self.links.get_mut(before as usize) {
            Some(link) => link.after = number,
            None => self.first = number,
        }
        self.last = number;
    }

    /// Takes `number` out, if it is in.
    pub(super) fn remove(&mut self, number: u32) {
        let Some(Link { before, after }) = self.link(number).filter(|link| link.before != number) else {
            return;
        };
        match self.links.get_mut(before as usize) {
            Some(link) => link.after = after,
            None => self.first = after,
        }
        match self.links.get_mut(after as usize) {
            Some(link) => link.before = before,
            None => self.last = before,
        }
        if let Some(link) = self.links.get_mut(number as usize) {
            link.before = number;
        }
    }

    fn link(&self, number: u32) -> Option<Link> {
        self.links.get(number as usize).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::Order;

    #[test]
    fn first_in_first_out() {
        let mut order = Order::default();
        assert_eq!((order.first(), order.contains(0)), (None, false));
        [3, 0, 5].into_iter().for_each(|number| order.push(number));
        order.push(3);
        order.push(3);
        order.remove(7);
        order.remove(4);
        let mut seen = Vec::new();
        while let Some(first) = order.first() {
            order.remove(first);
            seen.push(first);
        }
        assert_eq!(seen, [0, 5, 3]);
        order.push(1);
        assert!(order.contains(1) && !order.contains(3));
        order.remove(1);
        assert_eq!(order.first(), None);
    }
}
