//! The server type bits (MS-BRWS 2.2.1, MS-RAP 2.5.5.2.1).

use bitflags::bitflags;

bitflags! {
    /// What a server is and offers: `SV_TYPE_*`. Unknown bits are kept.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    #[cfg_attr(feature = "serde", derive(serde::Serialize))]
    pub struct ServerType: u32 {
        /// Workstation service.
        const WORKSTATION = 0x0000_0001;
        /// Server service.
        const SERVER = 0x0000_0002;
        /// Microsoft SQL Server.
        const SQLSERVER = 0x0000_0004;
        /// Primary domain controller.
        const DOMAIN_CTRL = 0x0000_0008;
        /// Backup domain controller.
        const DOMAIN_BAKCTRL = 0x0000_0010;
        /// Time service.
        const TIME_SOURCE = 0x0000_0020;
        /// Apple File Protocol server.
        const AFP = 0x0000_0040;
        /// Novell server.
        const NOVELL = 0x0000_0080;
        /// Member of a LAN Manager 2.x domain.
        const DOMAIN_MEMBER = 0x0000_0100;
        /// Shares a print queue.
        const PRINTQ = 0x0000_0200;
        /// Dial-in service.
        const DIALIN = 0x0000_0400;
        /// Xenix or Unix server.
        const XENIX = 0x0000_0800;
        /// Windows NT or later.
        const NT = 0x0000_1000;
        /// Windows for Workgroups.
        const WFW = 0x0000_2000;
        /// Microsoft File and Print for NetWare.
        const SERVER_MFPN = 0x0000_4000;
        /// Windows NT Server, not a domain controller.
        const SERVER_NT = 0x0000_8000;
        /// Can run the browser service.
        const POTENTIAL_BROWSER = 0x0001_0000;
        /// Backup browser.
        const BACKUP_BROWSER = 0x0002_0000;
        /// Local master browser.
        const MASTER_BROWSER = 0x0004_0000;
        /// Domain master browser.
        const DOMAIN_MASTER = 0x0008_0000;
        /// OSF.
        const OSF = 0x0010_0000;
        /// VMS.
        const VMS = 0x0020_0000;
        /// Windows 95 or later of its line.
        const WINDOWS = 0x0040_0000;
        /// Root of a DFS tree.
        const DFS = 0x0080_0000;
        /// NT cluster.
        const CLUSTER_NT = 0x0100_0000;
        /// Terminal server.
        const TERMINALSERVER = 0x0200_0000;
        /// Virtual server of an NT cluster.
        const CLUSTER_VS_NT = 0x0400_0000;
        /// IBM DSS (directory and security services) or equivalent.
        const DCE = 0x1000_0000;
        /// Asks for the list of another transport.
        const ALTERNATE_XPORT = 0x2000_0000;
        /// Asks for what the browser itself has heard.
        const LOCAL_LIST_ONLY = 0x4000_0000;
        /// Domains, not servers.
        const DOMAIN_ENUM = 0x8000_0000;
        const _ = !0;
    }
}
