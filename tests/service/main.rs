//! The machines through their public interface, in virtual time: no test sleeps or reads a clock.

mod datagram;
