"""Speed of neurosim beside its peers: the same networks, through everybody's public interface."""
