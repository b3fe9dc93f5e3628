//! The proxy against data, against chance, and against real connections on this machine.

mod data;
mod greeting;
mod live;
mod messages;
mod outside;
mod property;
mod rig;
